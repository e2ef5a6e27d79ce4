/**
 * What a Dinstar gateway posts where it is given a URL: messages that came in, and results of sends.
 *
 * @module
 */
import type { InboundWire } from "./carrier.ts";
import type { ReportPlan } from "./reports.ts";
import { JSON_TYPE, postText, type RequestTarget } from "./request_text.ts";

export const DINSTAR_SERIAL = "da00-0022-5000-0001";

/** A time as the device writes it; its clock is set to UTC. */
export function deviceTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

/** Contacts' messages, all by port 0. */
export const DINSTAR_WIRE: InboundWire = {
  defaults: { method: "POST", accountSid: "", authToken: "" },
  id: (runHex, sequence) => String(parseInt(runHex.slice(0, 8), 16) * 1_000 + sequence),
  request(target, message) {
    const id = Number(message.id);
    return postText(
      target.url,
      JSON_TYPE,
      JSON.stringify({
        sn: DINSTAR_SERIAL,
        sms: [{
          incoming_sms_id: id,
          port: 0,
          number: message.from,
          smsc: "+14150000000",
          // What is posted again has the time that it had.
          timestamp: deviceTime(1_767_323_045_000 + (id % 1_000_000) * 1_000),
          text: message.text,
          imsi: "748010000000001",
        }],
      }),
    );
  },
};

/** The results of one message. */
export function dinstarReports(
  target: RequestTarget,
  task: { readonly userId: number; readonly number: string; readonly port: number },
): ReportPlan {
  return {
    origin: target.origin,
    build(status, known) {
      const word = status === "sent" ? "SENT_OK" : status === "delivered" ? "DELIVERED" : "FAILED";
      const result = {
        port: task.port,
        user_id: known ? task.userId : task.userId + 1_000_000,
        number: task.number,
        time: deviceTime(Date.now()),
        status: word,
        count: 1,
        succ_count: word === "FAILED" ? 0 : 1,
        ref_id: task.userId % 256,
        imsi: "748010000000001",
      };
      return postText(target, JSON_TYPE, JSON.stringify({ sn: DINSTAR_SERIAL, sms_result: [result] }));
    },
  };
}
