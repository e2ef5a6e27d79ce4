/**
 * `providers`: what a webhook costs before it is written: parsing, signature check, normalising.
 *
 * @module
 */
import { inboundEntry } from "../core/from_provider.ts";
import type { Bench } from "./bench_context.ts";
import { type ProviderSample, providerSamples } from "./provider_samples.ts";
import { type BenchRow, median } from "./report.ts";
import { atMost } from "./targets.ts";

const REQUESTS = 500;
const ROUNDS = 40;
const WARMUP_ROUNDS = 8;
const MEDIAN_US = 100;
/** What the most used one has to reach. */
const MEDIAN_US_OF: Readonly<Record<string, number>> = { twilio: 30 };

export const providers: Bench = {
  name: "providers",
  about: "parsing, signature check and normalising of a webhook, for each provider",
  takes: { firstSeconds: 12, laterSeconds: 12 },
  once: true,
  run: (context) => {
    context.say(`${REQUESTS} different webhooks of each provider, ${ROUNDS} times`);
    const nowMs = Date.now();
    const rows = providerSamples(REQUESTS, nowMs).map((sample) => rowOf(sample, nowMs));
    return Promise.resolve({
      rows,
      notes: [
        `One thread, ${REQUESTS} different requests in turn; a figure is the median of ${ROUNDS} rounds' means.`,
      ],
    });
  },
};

function rowOf(sample: ProviderSample, nowMs: number): BenchRow {
  const { kind } = sample.provider;
  for (let n = 0; n < WARMUP_ROUNDS; n++) round(sample, nowMs);
  const us = Array.from({ length: ROUNDS }, () => {
    const startMs = performance.now();
    round(sample, nowMs);
    return (performance.now() - startMs) * 1000 / REQUESTS;
  });
  const value = median(us);
  const target = atMost(MEDIAN_US_OF[kind] ?? MEDIAN_US, { what: "median", value, unit: " µs" });
  const figure = `${value.toFixed(1)} µs`;
  return {
    what: kind,
    ...(kind in MEDIAN_US_OF ? { headline: "`providers`, a signed Twilio webhook read", figure } : {}),
    rateMps: 1e6 / value,
    targets: [target],
    more: { "median µs": value, "slowest round µs": Math.max(...us) },
  };
}

/** Throws when a webhook is not taken: then something else would be measured. */
function round({ provider, channel, requests }: ProviderSample, nowMs: number): void {
  for (const request of requests) {
    const result = provider.parseWebhook(request, channel);
    if (result.kind === "refused") throw new Error(`${provider.kind}: ${result.reason}`);
    if (result.inbound.length === 0) throw new Error(`${provider.kind}: no message was read`);
    for (const message of result.inbound) JSON.stringify(inboundEntry(channel, message, nowMs));
  }
}
