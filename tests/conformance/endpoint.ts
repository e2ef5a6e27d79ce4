/**
 * The system's own end of a provider's wire: the webhook handler on a socket, with what it stored at hand, and
 * calls over the outgoing client.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { OutgoingClient } from "../../adapters/http_client/outgoing_client.ts";
import { parseAllowList, PrivateAddressGuard } from "../../adapters/http_client/private_address_guard.ts";
import { providerCaller } from "../../adapters/http_client/provider_caller.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import { createWebhookHandler } from "../../adapters/webhooks/handler.ts";
import type { Channel, OwnNumber } from "../../core/channel.ts";
import { numberedCalls } from "../../core/polling/numbered_calls.ts";
import { EMPTY_DIRECTORY } from "../../core/directory.ts";
import type { ConversationEntry, ReportEntry } from "../../core/entry.ts";
import type { HttpAnswer, HttpCall, ParsedInbound, Provider } from "../../core/ports/provider.ts";

const SECRET = "conformance-secret-0123456789";

export interface Endpoint extends AsyncDisposable {
  /** The channel's webhook URL as it can be called from here. */
  readonly url: string;
  /** The same as the provider knows it. */
  readonly publicUrl: string;
  /** What the ingress was given. */
  readonly entries: readonly ConversationEntry[];
  readonly reports: readonly ReportEntry[];
  /** What the provider's parser made of the requests that it accepted. */
  readonly parsed: readonly ParsedInbound[];
  readonly refusals: readonly string[];
}

/**
 * Serves one channel with our `number`. Without `publicUrl` the provider calls the address that it listens on; with
 * it there is a proxy in front.
 */
export function serveEndpoint(
  provider: Provider,
  channel: Channel,
  number: string,
  publicUrl?: string,
): Endpoint {
  const entries: ConversationEntry[] = [];
  const reports: ReportEntry[] = [];
  const parsed: ParsedInbound[] = [];
  const refusals: string[] = [];
  const listening = {
    ...provider,
    parseWebhook(...args: Parameters<Provider["parseWebhook"]>) {
      const result = provider.parseWebhook(...args);
      if (result.kind === "accepted") parsed.push(...result.inbound);
      else refusals.push(`${result.why}: ${result.reason}`);
      return result;
    },
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request, info) => handle(request, () => info.remoteAddr.hostname),
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const own: OwnNumber = {
    id: "num_1",
    channelId: channel.id,
    number,
    type: "mobile",
    label: null,
    verified: true,
    direction: "both",
    purpose: "chat",
    rateMps: null,
    burst: null,
    destination: null,
    allowedExtensions: [],
    allowedQueues: [],
    optOut: null,
  };
  const directory = {
    ...EMPTY_DIRECTORY,
    channels: new Map([[channel.id, channel]]),
    numbersByAddress: new Map([[number, own]]),
    webhooks: new Map([[createHash("sha256").update(SECRET).digest("hex"), {
      channelId: channel.id,
      expiresMs: null,
    }]]),
  };
  const handle = createWebhookHandler({
    directory: { current: () => directory, onChange: () => () => {} },
    providers: new Map([[provider.kind, listening]]),
    ingress: {
      refusal: () => null,
      append: (entry) => Promise.resolve(void entries.push(entry)),
      appendReport: (entry) => Promise.resolve(void reports.push(entry)),
      execute: () => Promise.reject(new Error("there is nobody to carry a command out")),
    },
    publicUrl: publicUrl ?? origin,
    now: Date.now,
    onOutcome: () => {},
    quarantine: () => {},
  });
  const path = `/webhooks/${provider.kind}/${SECRET}`;
  return {
    url: origin + path,
    publicUrl: (publicUrl ?? origin) + path,
    entries,
    reports,
    parsed,
    refusals,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Makes `call` as the send worker does: with the answer to a challenge, and with a number where it wants one. */
export async function make(provider: Provider, channel: Channel, call: HttpCall): Promise<HttpAnswer> {
  const guard = new PrivateAddressGuard(parseAllowList("127.0.0.1").list);
  using client = new OutgoingClient({ guard });
  const providers = new Map([[provider.kind, provider]]);
  const caller = providerCaller(client, { providers, clock: systemClock });
  const numbers = { next: () => Promise.resolve(1) };
  const outcome = await numberedCalls(caller, numbers, Date.now)(channel, call);
  if (outcome.kind !== "answered") throw new Error(`${call.url}: ${outcome.reason}`);
  return outcome.answer;
}
