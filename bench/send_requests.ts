/**
 * The two requests of `send`, as whole texts: ours and the carrier's.
 *
 * @module
 */
import { CONVERSATIONS } from "./contacts.ts";
import type { Installation } from "./installation.ts";
import type { RequestSource } from "./load/requests.ts";
import { formBody } from "./simulator/form.ts";
import { contactNumber } from "./simulator/numbers.ts";
import { FORM, JSON_TYPE, postText, readTarget, type RequestTarget } from "./simulator/request_text.ts";
import { TWILIO_DEFAULT_ACCOUNT } from "./simulator/twilio_account.ts";
import type { Program } from "./system_under_test.ts";

const TEXT = "your order is on its way";

/** `POST /v1/messages`, unique texts over all conversations. */
export function apiSends(
  { url, api }: Pick<Program, "url" | "api">,
  { numbers }: Pick<Installation, "numbers">,
): RequestSource {
  const args: ApiSends = { url, key: api.key, numbers, run: crypto.randomUUID().slice(0, 8) };
  return { module: import.meta.url, name: "apiRequests", args };
}

interface ApiSends {
  readonly url: string;
  readonly key: string;
  readonly numbers: readonly string[];
  readonly run: string;
}

/** Called by the load's thread. */
export function apiRequests({ url, key, numbers, run }: ApiSends): (index: number) => string {
  const target = targetOf(`${url}/v1/messages`);
  const headers = `authorization: Bearer ${key}\r\n`;
  return (index) => {
    const conversation = index % CONVERSATIONS;
    const body = JSON.stringify({
      from: numbers[conversation % numbers.length],
      to: contactNumber(conversation),
      text: `#${index} ${run} ${TEXT}`,
    });
    return postText(target, JSON_TYPE, body, headers);
  };
}

/** What the system sends to Twilio, sent by the client itself. */
export function carrierSends(url: string): RequestSource {
  return { module: import.meta.url, name: "carrierRequests", args: url };
}

/** Called by the load's thread. */
export function carrierRequests(url: string): (index: number) => string {
  const { sid, authToken } = TWILIO_DEFAULT_ACCOUNT;
  const target = targetOf(`${url}/2010-04-01/Accounts/${sid}/Messages.json`);
  const headers = `authorization: Basic ${btoa(`${sid}:${authToken}`)}\r\n`;
  return (index) => {
    const body = formBody([
      ["To", contactNumber(index % CONVERSATIONS)],
      ["From", "+14155550100"],
      ["Body", `#${index} ${TEXT}`],
      ["StatusCallback", `http://127.0.0.1:9/webhooks/twilio/secret/status/msg_${index}`],
    ]);
    return postText(target, FORM, body, headers);
  };
}

function targetOf(url: string): RequestTarget {
  const target = readTarget(url);
  if (target === null) throw new TypeError(`not an http URL: ${url}`);
  return target;
}
