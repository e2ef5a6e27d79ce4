/**
 * What the providers' tests share.
 *
 * @module
 */
import { type Channel, ChannelSettingsSchema } from "../../core/channel.ts";
import type { OutgoingMessage, WebhookRequest, WebhookResult } from "../../core/ports/provider.ts";

/** A channel of `provider`. */
export function channelOf(
  provider: string,
  credentials: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>> = {},
): Channel {
  return {
    id: "ch_00000000000000000000000000",
    name: "test",
    provider,
    enabled: true,
    isDefault: true,
    settings: ChannelSettingsSchema.parse(settings),
    credentials,
  };
}

export const MESSAGE_ID = "msg_01jd00000000000000000000a1";

/** A message that goes out. */
export function outgoing(over: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    id: MESSAGE_ID,
    from: "+14155550199",
    to: "+14155550100",
    text: "Olá & más 50%",
    encoding: "ucs2",
    segments: 1,
    media: [],
    statusUrl: "https://sms.example.test/webhooks/x/secret/status/" + MESSAGE_ID,
    ...over,
  };
}

/** When webhooks come, unless told otherwise: the time in the signed vectors. */
export const RECEIVED_MS = 1_767_323_045_000;

/** A webhook: a form or JSON body for POST, nothing for GET. */
export function webhook(
  url: string,
  over: Partial<WebhookRequest> & { form?: string; json?: unknown } = {},
): WebhookRequest {
  const { form, json, ...rest } = over;
  const method = rest.method ?? (form === undefined && json === undefined ? "GET" : "POST");
  const headers = new Headers(rest.headers);
  if (form !== undefined) headers.set("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
  if (json !== undefined) headers.set("content-type", "application/json");
  return {
    path: "",
    query: new URL(url).searchParams,
    body: new TextEncoder().encode(form ?? (json === undefined ? "" : JSON.stringify(json))),
    receivedMs: RECEIVED_MS,
    ...rest,
    method,
    url,
    headers,
  };
}

/** One line that says what a webhook came to, for tables. */
export function summary(result: WebhookResult): string {
  if (result.kind === "refused") {
    return `${result.why}${result.field === undefined ? "" : ` ${result.field}`}`;
  }
  const inbound = result.inbound.map((one) =>
    `${one.contact}>${one.number} ${JSON.stringify(one.text)}${
      one.media.map((media) => ` ${media.url}`).join("")
    }` +
    `${one.providerId === undefined ? "" : ` #${one.providerId}`}` +
    (one.fragment === undefined ? "" : ` [${one.fragment.index}/${one.fragment.of} of ${one.fragment.group}]`)
  );
  const reports = result.reports.map((one) =>
    `${one.status} ${one.messageId ?? "-"} ${one.providerId ?? "-"}` +
    `${one.error === undefined ? "" : ` ${one.error.class} ${one.error.providerCode ?? "-"}`}`
  );
  return [...inbound, ...reports].join("; ") || "nothing";
}
