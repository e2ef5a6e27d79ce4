/**
 * Rates, as the carrier saw them: in any second, wherever it begins, no more than rate and burst together.
 *
 * @module
 */
import { slidingWindowMax } from "../simulator/audit.ts";
import { digits, type LinkedCall } from "./carrier_calls.ts";
import type { Findings } from "./findings.ts";
import type { Bucket, OptOut } from "./run.ts";

const WINDOW_MS = 1_000;
/**
 * Seen from the carrier the first calls of a process that has just started come tens of ms late, on new connections,
 * and those after them do not: so much more may come in one second than left in it.
 */
const LATE_FIRST_CALLS = 1.03;

/** Every call counts, taken or not: the provider had the work. */
export function checkRates(buckets: readonly Bucket[], calls: readonly LinkedCall[], found: Findings): void {
  for (const bucket of buckets) {
    // By the number that the call came from: the message may have been given to another channel since.
    const numbers = new Set(bucket.numbers.map(digits));
    const own = calls.filter(({ call }) => numbers.has(digits(call.from)))
      .sort((a, b) => a.call.atMs - b.call.atMs);
    const costs = own.map(({ message }) => bucket.costUnit === "segment" ? message?.segments ?? 1 : 1);
    found.looked += own.length;
    const worst = slidingWindowMax(own.map(({ call }) => call.atMs), WINDOW_MS, costs);
    // One message may cost more than the burst; it goes when the bucket is full.
    const declared = bucket.rateMps + costs.reduce((most, cost) => Math.max(most, cost), bucket.burst);
    const limit = Math.floor(declared * LATE_FIRST_CALLS);
    if (worst > limit) {
      found.fault("over the rate in some second", `${bucket.name}: ${worst}, allowed ${limit}`);
    }
  }
}

/** Nobody who opted out is called, but for one confirmation that the system itself wrote. */
export function checkOptOuts(
  optOuts: readonly OptOut[],
  calls: readonly LinkedCall[],
  found: Findings,
): void {
  const byContact = Map.groupBy(calls, ({ call, message }) => message?.contact ?? call.to);
  for (const { contact, number, sinceMs, untilMs } of optOuts) {
    found.looked++;
    let confirmations = 0;
    for (const { call, message } of byContact.get(contact) ?? []) {
      if (number !== null && number !== (message?.number ?? call.from)) continue;
      if (call.atMs < sinceMs || (untilMs !== null && call.atMs >= untilMs)) continue;
      if (message?.authorKind === "system" && ++confirmations === 1) continue;
      found.fault("called after opting out", `${contact} (${message?.id ?? `call ${call.sequence}`})`);
    }
  }
}
