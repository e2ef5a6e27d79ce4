/**
 * Providers' calls over the outgoing client, with the challenges of those that know HTTP Digest.
 *
 * A challenge is kept and answered again with the next call, so that only the first one of a connection costs two
 * requests. Where none is kept, a probe draws it: devices have been seen to wait for a body for ever that they are
 * about to refuse, and to close the connection after the refusal.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { OutgoingHttp } from "../../core/ports/outgoing_http.ts";
import type { CallOutcome, CallProvider } from "../../core/ports/provider_call.ts";
import type { HttpAnswer, HttpCall, Provider } from "../../core/ports/provider.ts";

export interface ProviderCallerOptions {
  /** By kind. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  /** What is longer of an answer is cut off. @default {65536} */
  readonly maxBodyBytes?: number;
}

/** A challenge that was not answered for this long is drawn anew before a call with a body, ms. */
const FRESH_MS = 30_000;
/** Before a connection is tried again that was closed after a challenge, ms. */
const RECONNECT_MS = 500;

interface Known {
  /** Null: the provider asked for nothing. */
  readonly challenge: HttpAnswer | null;
  uses: number;
  atMs: number;
}

/** Makes providers' calls with `client`, each within its channel's `timeoutMs`. */
export function providerCaller(client: OutgoingHttp, options: ProviderCallerOptions): CallProvider {
  const { providers, clock, maxBodyBytes } = options;
  // By the channel as it is: with other credentials it is another one.
  const known = new WeakMap<Channel, Known>();
  const probes = new WeakMap<Channel, Promise<CallOutcome | null>>();

  const plain = async (channel: Channel, call: HttpCall): Promise<CallOutcome> => {
    const result = await client.call(call, {
      timeoutMs: channel.settings.timeoutMs,
      ...(maxBodyBytes !== undefined && { maxBodyBytes }),
    });
    if (result.kind === "answer") return { kind: "answered", answer: result.answer };
    if (result.kind === "no-connection" && result.refused) return { kind: "refused", reason: result.reason };
    if (result.kind === "no-connection" || !result.written) {
      return { kind: "not-connected", reason: result.reason };
    }
    return { kind: "lost", cause: result.kind, reason: result.reason };
  };

  const keep = (channel: Channel, challenge: HttpAnswer | null) =>
    known.set(channel, { challenge, uses: 0, atMs: clock.monotonic() });

  /** Draws the challenge; null when that worked, else why the call itself cannot be made. */
  const draw = async (channel: Channel, provider: Provider): Promise<CallOutcome | null> => {
    const probe = provider.probe?.(channel) ?? null;
    if (probe === null) return null;
    const outcome = await plain(channel, probe);
    if (outcome.kind === "lost") return { kind: "not-connected", reason: outcome.reason };
    if (outcome.kind !== "answered") return outcome;
    keep(
      channel,
      provider.authenticate!(outcome.answer, probe, channel, 1) === null ? null : outcome.answer,
    );
    return null;
  };

  /** One probe at a time, whoever waits for it. */
  const drawOnce = (channel: Channel, provider: Provider): Promise<CallOutcome | null> => {
    let drawing = probes.get(channel);
    if (drawing === undefined) {
      drawing = draw(channel, provider).finally(() => probes.delete(channel));
      probes.set(channel, drawing);
    }
    return drawing;
  };

  const pause = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));

  return async (channel, call) => {
    const provider = providers.get(channel.provider);
    if (provider?.authenticate === undefined) return await plain(channel, call);
    const before = known.get(channel);
    const isStale = before !== undefined && clock.monotonic() - before.atMs > FRESH_MS;
    if (before === undefined || (isStale && call.body !== undefined)) {
      const fault = await drawOnce(channel, provider);
      if (fault !== null) return fault;
    }
    const kept = known.get(channel);
    const first = kept?.challenge == null
      ? call
      : provider.authenticate(kept.challenge, call, channel, ++kept.uses) ?? call;
    const outcome = await plain(channel, first);
    if (outcome.kind !== "answered") return outcome;
    const second = provider.authenticate(outcome.answer, first, channel, 1);
    if (second === null) {
      if (kept !== undefined) kept.atMs = clock.monotonic();
      return outcome;
    }
    keep(channel, outcome.answer).get(channel)!.uses = 1;
    const again = await plain(channel, second);
    if (again.kind !== "not-connected") return again;
    await pause(RECONNECT_MS);
    return await plain(channel, second);
  };
}
