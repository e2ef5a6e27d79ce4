/**
 * Both ends of a provider's wire over real HTTP: the carrier simulator, written from the provider's documents, and
 * our own provider. Neither shares a line with the other, so each judges the other.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import { type WebhookOptions, writeAsContact } from "../../bench/simulator/contact.ts";
import type { FaultSettings, ProviderName } from "../../bench/simulator/faults.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../bench/simulator/server.ts";
import { type Channel, ChannelSettingsSchema } from "../../core/channel.ts";
import type { ErrorClass } from "../../core/errors.ts";
import { analyseText } from "../../core/segments.ts";
import type { Media } from "../../core/message.ts";
import type { Provider, SendResult } from "../../core/ports/provider.ts";
import { until } from "../support/until.ts";
import { type Endpoint, make, serveEndpoint } from "./endpoint.ts";

export interface Conformance {
  /** Ours, and the simulator's where it is not `carrier`. */
  readonly kind: string;
  readonly carrier?: ProviderName;
  /** Tells several set-ups of one provider apart. */
  readonly label?: string;
  /** The channel's credentials for a simulator at `url`; `good` false: wrong ones. */
  readonly credentials: (url: string, good: boolean) => Readonly<Record<string, unknown>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly simulator?: SimulatorOptions;
  /** Ways in which the provider can be set to call, each tried; none: it does not bring messages. @default one, with nothing set */
  readonly webhooks?: readonly Partial<WebhookOptions>[];
  /** Ours and the contact's. */
  readonly number?: string;
  /** What the provider is told of our number. @default the number */
  readonly sender?: string;
  readonly contact?: string;
  /** @default a text with accents, signs and an emoji */
  readonly text?: string;
  /** Most media in one message that come in and go out; 0: none. @default 2 and 2 where the provider sends MMS */
  readonly media?: { readonly inbound: number; readonly outbound: number };
  /** What media's links begin with, where the provider knows its own by them. */
  readonly mediaUrl?: string;
  /** How the provider learns where reports go. @default "told" */
  readonly reports?: "told" | "set" | "none";
  /** Classes that the simulator's refusals must come to; null: the provider has no word for it. */
  readonly refusals?: {
    readonly optedOut?: ErrorClass | null;
    readonly invalid?: ErrorClass | null;
    readonly throttled?: ErrorClass | null;
  };
  /** Whether wrong credentials show when a message is sent. @default true */
  readonly checksCredentials?: boolean;
}

const PUBLIC_URL = "https://sms.example.test";
const TEXT = "Olá & mañana = 50% + 1 😀 [€]";
const MESSAGE_ID = "msg_01jd00000000000000000000a1";
const MEDIA_URL = "https://media.example.test/";

function providerOf(kind: string): Provider {
  const provider = PROVIDERS.get(kind);
  if (provider === undefined) throw new Error(`there is no provider ${kind}`);
  return provider;
}

function channelFor(conformance: Conformance, simulator: Simulator, good = true): Channel {
  const provider = providerOf(conformance.kind);
  return {
    id: "ch_1",
    name: "Conformance",
    provider: conformance.kind,
    enabled: true,
    isDefault: false,
    settings: ChannelSettingsSchema.parse({
      ...provider.defaults,
      baseUrl: simulator.url,
      ...conformance.settings,
    }),
    credentials: provider.credentials.parse(conformance.credentials(simulator.url, good)),
  };
}

function pictures(count: number, mediaUrl = MEDIA_URL): (Media & { contentType: string })[] {
  return Array.from({ length: count }, (_, i) => ({
    url: `${mediaUrl}${i}.jpg`,
    contentType: "image/jpeg",
  }));
}

/** Joins the parts that the provider says belong together, in their order. */
function joined(parts: Endpoint["parsed"]): string {
  return [...parts].sort((a, b) => (a.fragment?.index ?? 1) - (b.fragment?.index ?? 1))
    .map((part) => part.text).join("");
}

/** Waits for both reports; fails at once where one was refused. */
function reported(endpoint: Endpoint): Promise<true> {
  return until("two reports", () => {
    deepEqual(endpoint.refusals, []);
    return endpoint.reports.length >= 2;
  });
}

/** Declares the tests of one provider. */
export function conforms(conformance: Conformance): void {
  const { kind } = conformance;
  const provider = providerOf(kind);
  const carrier = conformance.carrier ?? kind as ProviderName;
  const number = conformance.number ?? "+14155550199";
  const contact = conformance.contact ?? "+12025550123";
  const text = conformance.text ?? TEXT;
  const media = conformance.media ??
    (provider.supports.mms ? { inbound: 2, outbound: 2 } : { inbound: 0, outbound: 0 });
  const reportsGo = conformance.reports ?? "told";
  const name = conformance.label === undefined ? kind : `${kind}, ${conformance.label}`;
  const start = (options: SimulatorOptions = {}) =>
    startSimulator({
      reports: { sentAfterMs: 0, deliveredAfterMs: 0, enabled: false },
      ...conformance.simulator,
      ...options,
    });

  let sends = 0;
  const send = async (simulator: Simulator, over: {
    /** Left out: one of its own. */
    readonly id?: string;
    readonly text?: string;
    readonly media?: readonly Media[];
    readonly statusUrl?: string;
    readonly good?: boolean;
  } = {}): Promise<SendResult> => {
    const channel = channelFor(conformance, simulator, over.good ?? true);
    const body = over.text ?? text;
    const { encoding, segments } = analyseText(body, "auto");
    const call = provider.buildSend({
      id: over.id ?? `${MESSAGE_ID.slice(0, -4)}${String(++sends).padStart(4, "0")}`,
      from: number,
      to: contact,
      text: body,
      encoding,
      segments,
      media: over.media ?? [],
      statusUrl: over.statusUrl ?? `${PUBLIC_URL}/webhooks/${kind}/secret/status/${MESSAGE_ID}`,
    }, channel);
    return provider.readSend(await make(provider, channel, call), channel);
  };

  const webhooks = conformance.webhooks ?? [{}];
  const labelOf = (webhook: Partial<WebhookOptions>) =>
    JSON.stringify({ method: webhook.method, format: webhook.format });

  const bringing = async () => {
    await using simulator = start();
    for (const webhook of webhooks) {
      const label = labelOf(webhook);
      await using endpoint = serveEndpoint(provider, channelFor(conformance, simulator), number, PUBLIC_URL);
      const write = {
        provider: carrier,
        url: endpoint.url,
        publicUrl: endpoint.publicUrl,
        ...webhook,
        from: contact,
        to: number,
        text,
      };
      const first = await writeAsContact(write);
      ok(first.status >= 200 && first.status < 300, `${label}: ${first.status} ${first.body}`);
      const parts = endpoint.parsed.length;
      equal(joined(endpoint.parsed), text, label);
      for (const one of endpoint.parsed) deepEqual([one.number, one.contact], [number, contact], label);
      const again = await writeAsContact({ ...write, id: first.id });
      equal(again.status, first.status, label);
      equal(
        new Set(endpoint.entries.map((entry) => entry.key)).size,
        parts,
        `${label}: a repeat is known again`,
      );
      await writeAsContact({ ...write, text: `${text}!` });
      equal(
        new Set(endpoint.entries.map((entry) => entry.key)).size,
        2 * parts,
        `${label}: another is another`,
      );
      if (media.inbound === 0) continue;
      const sent = pictures(media.inbound, conformance.mediaUrl);
      const before = endpoint.parsed.length;
      const picture = await writeAsContact({ ...write, media: sent });
      equal(picture.status, first.status, `${label}: ${picture.body}`);
      const got = endpoint.parsed.slice(before).flatMap((one) => one.media);
      deepEqual(got.map((one) => one.url), sent.map((one) => one.url), label);
    }
  };
  if (webhooks.length > 0) {
    Deno.test(`${name}: contacts' messages arrive as they were written, behind a proxy and again`, bringing);
  }

  if (provider.supports.signature) {
    Deno.test(`${name}: webhooks that the provider did not sign are refused`, async () => {
      await using simulator = start();
      for (const webhook of webhooks) {
        await using endpoint = serveEndpoint(provider, channelFor(conformance, simulator), number);
        for (const signature of ["wrong", "missing"] as const) {
          const { status } = await writeAsContact({
            provider: carrier,
            url: endpoint.url,
            ...webhook,
            signature,
            from: contact,
            to: number,
            text,
          });
          equal(status, 403, `${labelOf(webhook)} ${signature}`);
        }
        deepEqual(endpoint.entries, []);
      }
    });
  }

  Deno.test(`${name}: messages leave as they were written, and come back reported`, async () => {
    await using simulator = start({
      reports: { enabled: reportsGo !== "none", sentAfterMs: 0, deliveredAfterMs: 0 },
    });
    await using endpoint = serveEndpoint(provider, channelFor(conformance, simulator), number);
    if (reportsGo === "set") simulator.setReports({ urls: { [carrier]: `${endpoint.url}/status` } });
    const statusUrl = `${endpoint.url}/status/${MESSAGE_ID}`;
    const sent = await send(simulator, { id: MESSAGE_ID, statusUrl });
    ok(sent.kind === "accepted", JSON.stringify(sent));
    const [call] = simulator.record();
    const digits = (address?: string) => address?.replace("+", "");
    deepEqual([digits(call?.from), digits(call?.to), call?.text], [
      digits(conformance.sender ?? number),
      digits(contact),
      text,
    ]);
    if (sent.providerId !== null) equal(call?.providerId, sent.providerId);
    if (reportsGo !== "none") {
      await reported(endpoint);
      deepEqual(endpoint.reports.map((report) => report.status), ["sent", "delivered"]);
      for (const { messageId, providerId } of endpoint.reports) {
        ok(messageId === MESSAGE_ID || (providerId !== undefined && providerId === sent.providerId));
      }
    }
    if (media.outbound === 0) return;
    const picture = await send(simulator, { media: pictures(media.outbound), text: "Look" });
    ok(picture.kind === "accepted", JSON.stringify(picture));
    const [, second] = simulator.record();
    match(second?.text ?? "", /^Look/);
    deepEqual(second?.media, pictures(media.outbound).map((one) => one.url));
  });

  if (provider.supports.idempotency) {
    Deno.test(`${name}: a message that is sent again leaves once`, async () => {
      await using simulator = start();
      for (const media of [[], ...(provider.supports.mms ? [pictures(1)] : [])]) {
        const before = simulator.record().filter((call) => call.accepted).length;
        const once = { id: `${MESSAGE_ID.slice(0, -1)}${media.length}`, media };
        equal((await send(simulator, once)).kind, "accepted");
        equal((await send(simulator, once)).kind, "accepted");
        equal(simulator.record().filter((call) => call.accepted).length, before + 1);
      }
    });
  }

  Deno.test(`${name}: refusals come to their classes`, async () => {
    const { optedOut = "opted-out", invalid = "invalid-number", throttled = "throttled" } =
      conformance.refusals ?? {};
    await using simulator = start();
    const classOf = async (faults: Exclude<FaultSettings[ProviderName], undefined>, what = {}) => {
      simulator.reset();
      simulator.setFaults({ [carrier]: faults });
      const result = await send(simulator, what);
      return result.kind === "accepted" ? "accepted" : result.error.class;
    };
    if (optedOut !== null) equal(await classOf({ optedOut: [contact] }), optedOut);
    if (invalid !== null) equal(await classOf({ invalid: [contact] }), invalid);
    equal(await classOf({ fail: [{ fraction: 1, status: 503 }] }), "provider-error");
    equal(await classOf({}), "accepted");
    if (throttled !== null) {
      simulator.setFaults({ [carrier]: { throttle: { rateMps: 0.001, retryAfterSeconds: 7 } } });
      equal((await send(simulator, { text: "first" })).kind, "accepted");
      const second = await send(simulator, { text: "second" });
      ok(second.kind === "failed");
      equal(second.error.class, throttled);
      ok(second.error.reason.length > 0);
    }
    if (conformance.checksCredentials ?? true) equal(await classOf({}, { good: false }), "auth");
  });

  Deno.test(`${name}: credentials are proved without a message`, async () => {
    await using simulator = start();
    const verdict = async (good: boolean) => {
      const channel = channelFor(conformance, simulator, good);
      const call = provider.buildVerify(channel);
      return call === null ? null : provider.readVerify(await make(provider, channel, call), channel);
    };
    const good = await verdict(true);
    if (good !== null) {
      equal(good.ok, true, good.reason);
      equal((await verdict(false))?.ok, false);
    }
    equal(simulator.record().filter((call) => call.accepted).length, 0);
  });

  if (reportsGo !== "none") {
    Deno.test(`${name}: a message that could not be delivered is reported with its class`, async () => {
      await using simulator = start({
        reports: { enabled: true, sentAfterMs: 0, deliveredAfterMs: 0 },
        faults: { [carrier]: { undelivered: 1 } },
      });
      await using endpoint = serveEndpoint(provider, channelFor(conformance, simulator), number);
      if (reportsGo === "set") simulator.setReports({ urls: { [carrier]: `${endpoint.url}/status` } });
      ok((await send(simulator, { statusUrl: `${endpoint.url}/status/${MESSAGE_ID}` })).kind === "accepted");
      await reported(endpoint);
      const last = endpoint.reports.at(-1);
      ok(last !== undefined && ["undelivered", "failed", "rejected", "expired"].includes(last.status));
      ok(last.error !== undefined && last.error.reason.length > 0);
    });
  }
}
