/**
 * VoiceMeUp, a Canadian carrier. Its manual is not public: names and shapes are what an open-source client
 * sends and gets, and codes that nobody has written down can be classed by the channel itself.
 *
 * @module
 */
import { z } from "zod";
import type { Channel } from "../../core/channel.ts";
import { type ErrorClass, FINAL_CLASSES, RETRYABLE_CLASSES } from "../../core/errors.ts";
import type {
  HttpAnswer,
  HttpCall,
  OutgoingMessage,
  Provider,
  SendResult,
} from "../../core/ports/provider.ts";
import { errorOfStatus, failed, isObject, jsonObject } from "./answers.ts";
import { errorTable } from "./error_table.ts";
import { MMS_WAIT_MS, parseVoiceMeUpWebhook } from "./voicemeup_webhook.ts";

const DEFAULT_BASE = "https://clients.voicemeup.com";
const API_PATH = "/api/v1.1/json";

export const VoiceMeUpCredentialsSchema = z.object({
  username: z.string().min(1).max(200).meta({
    title: "User name",
    description: "Of the account's API access in the VoiceMeUp client portal",
    examples: ["acme"],
  }),
  authToken: z.string().min(1).max(500).meta({
    title: "Authentication token",
    description: "Beside the user name in the client portal",
    examples: ["0123456789abcdef"],
    secret: true,
  }),
  sendMethod: z.string().regex(/^[A-Za-z0-9_]{1,64}$/).default("queue_sms").meta({
    title: "Sending method",
    description: "Name of the API method that sends",
    examples: ["queue_sms"],
  }),
  verifyMethod: z.string().regex(/^[A-Za-z0-9_]{1,64}$/).optional().meta({
    title: "Reading method",
    description:
      "A method that only reads, to prove the credentials by; without it a send without destination does",
    examples: ["get_dids"],
  }),
  errorClasses: z.record(z.string().min(1).max(64), z.enum([...RETRYABLE_CLASSES, ...FINAL_CLASSES])).default(
    {},
  ).meta({
    title: "Further error codes",
    description: "VoiceMeUp publishes no list of its codes: what a code means that is not known here",
    examples: [{ insufficient_funds: "no-credit" }],
  }),
  mmsWaitMs: z.number().int().min(0).max(600_000).default(MMS_WAIT_MS).meta({
    title: "Wait for the other half of an MMS",
    description: "How long an MMS's text waits for its picture, and the other way round, ms",
    examples: [MMS_WAIT_MS],
  }),
}).strict();

const ERRORS = errorTable([
  ["auth", "VoiceMeUp refused the credentials", "permission_refused"],
  // VoiceMeUp knows repeats by their content. Whether this was a second try of ours only the sender knows.
  ["rejected", "VoiceMeUp has the same message already", "duplicate_entry"],
], "assumed");

function text(channel: Channel, name: string): string | undefined {
  const value = channel.credentials[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** `baseUrl` is a host, or the whole address up to `/json` as VoiceMeUp writes it. */
function apiUrl(channel: Channel, method: string): string {
  const base = (channel.settings.baseUrl ?? DEFAULT_BASE).replace(/\/+$/, "");
  return `${base.endsWith("/json") ? base : base + API_PATH}/${method}`;
}

function call(channel: Channel, method: string, fields: readonly (readonly [string, string])[]): HttpCall {
  const username = text(channel, "username");
  const token = text(channel, "authToken");
  if (username === undefined || token === undefined) {
    throw new Error(`channel ${channel.id} has no username or no authToken`);
  }
  return {
    method: "POST",
    url: apiUrl(channel, method),
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: [["username", username], ["auth_token", token], ...fields]
      .map(([name, value]) => `${name}=${encodeURIComponent(value!.toWellFormed())}`).join("&"),
  };
}

function withoutPlus(address: string): string {
  return address.startsWith("+") ? address.slice(1) : address;
}

/** A message takes one attachment: the links of further ones are added to its text, so that none is lost. */
function buildSend(message: OutgoingMessage, channel: Channel): HttpCall {
  const [first, ...others] = message.media;
  const words = [message.text, ...others.map((media) => media.url)].filter((part) => part !== "").join("\n");
  const fields: [string, string][] = [
    ["source_number", withoutPlus(message.from)],
    ["destination_number", withoutPlus(message.to)],
  ];
  if (words !== "") fields.push(["message", words]);
  if (first !== undefined) fields.push(["attachment", first.url]);
  return call(channel, text(channel, "sendMethod") ?? "queue_sms", fields);
}

interface Reading {
  readonly succeeded: boolean;
  readonly messages: readonly { readonly code: string; readonly content: string }[];
}

/** `message` is a list or, when there is one only, that one. Null if this is not VoiceMeUp's answer. */
function read(body: string): Reading | null {
  const details = jsonObject(body)?.["response_details"];
  if (!isObject(details)) return null;
  const status = details["response_status"];
  if (status !== "success" && status !== "error") return null;
  const list = isObject(details["response_messages"]) ? details["response_messages"]["message"] : undefined;
  const messages = (Array.isArray(list) ? list : [list]).filter(isObject).map((message) => ({
    code: typeof message["code"] === "string" ? message["code"] : "",
    content: typeof message["_content"] === "string" ? message["_content"] : "",
  }));
  return { succeeded: status === "success", messages };
}

function classOf(channel: Channel, code: string): ErrorClass | undefined {
  const classes = channel.credentials["errorClasses"];
  const configured = isObject(classes) && Object.hasOwn(classes, code) ? classes[code] : undefined;
  return typeof configured === "string" ? configured as ErrorClass : undefined;
}

function readSend(answer: HttpAnswer, channel: Channel): SendResult {
  const reading = read(answer.body);
  if (reading === null) {
    const isSuccess = answer.status >= 200 && answer.status < 300;
    return failed(
      answer,
      isSuccess
        ? { class: "bad-response", reason: "VoiceMeUp's answer cannot be read" }
        : errorOfStatus(answer.status),
    );
  }
  if (reading.succeeded) {
    const hash = reading.messages.find((message) => message.code === "queued_sms_hash")?.content ?? "";
    return { kind: "accepted", providerId: /^[\x21-\x7e]{1,128}$/.test(hash) ? hash : null };
  }
  const { code, content } = reading.messages.find((message) => message.code !== "") ??
    { code: "", content: reading.messages[0]?.content ?? "" };
  const known = ERRORS.find(code);
  return failed(answer, {
    class: classOf(channel, code) ?? known?.class ??
      (answer.status >= 400 ? errorOfStatus(answer.status).class : "rejected"),
    reason: known?.reason ?? `VoiceMeUp refused the message${content === "" ? "" : `: ${content}`}`,
    ...(code !== "" && { code }),
  });
}

/** Without a method that only reads: a send that has no destination, and so never leaves. */
function buildVerify(channel: Channel): HttpCall {
  const method = text(channel, "verifyMethod");
  return method === undefined
    ? call(channel, text(channel, "sendMethod") ?? "queue_sms", [["source_number", ""], [
      "destination_number",
      "",
    ]])
    : call(channel, method, []);
}

function readVerify(answer: HttpAnswer, _channel: Channel): { ok: boolean; reason: string } {
  const reading = read(answer.body);
  if (reading === null) {
    const isSuccess = answer.status >= 200 && answer.status < 300;
    return {
      ok: false,
      reason: isSuccess ? "VoiceMeUp's answer cannot be read" : errorOfStatus(answer.status).reason,
    };
  }
  return reading.messages.some((message) => message.code === "permission_refused")
    ? { ok: false, reason: "VoiceMeUp refused the credentials" }
    : { ok: true, reason: "VoiceMeUp accepts the credentials" };
}

export const voicemeup: Provider = {
  kind: "voicemeup",
  title: "VoiceMeUp",
  credentials: VoiceMeUpCredentialsSchema,
  // A Canadian long code: one message a second and number.
  defaults: { rateMps: 1, burst: 1, costUnit: "message", maxTextLength: 1_000 },
  numberRates: { geographic: { rateMps: 1 }, mobile: { rateMps: 1 }, "toll-free": { rateMps: 3 } },
  description: {
    docsUrl: "https://www.voicemeup.com",
    authentication: "none: the secret in the webhook URL is the proof",
    facts: [
      {
        fact: "VoiceMeUp publishes no manual: names and shapes are those that an open client uses",
        source: "assumed",
      },
      { fact: "numbers go out and come in as eleven digits without a plus", source: "assumed" },
      { fact: "an answer of 200 may be an error: its body counts", source: "assumed" },
      { fact: "a message takes one attachment; links of further ones go with its text", source: "assumed" },
      {
        fact: "an MMS comes in as two webhooks, joined by numbers and time of transmission",
        source: "assumed",
      },
      { fact: "an identical message is refused for a while", source: "assumed" },
      { fact: "one message a second and number; longest text 1,000 characters", source: "assumed" },
      {
        fact: "there are no delivery reports; what comes with the direction outbound is read as one",
        source: "assumed",
      },
    ],
    errors: ERRORS.described,
  },
  supports: { mms: true, deliveryReports: false, signature: false, idempotency: false },
  parseWebhook: parseVoiceMeUpWebhook,
  buildSend,
  readSend,
  buildVerify,
  readVerify,
};
