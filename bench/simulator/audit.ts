/**
 * What can be asked of a finished run: was the rate kept, was the order kept, did anything leave twice.
 *
 * @module
 */
import type { CallRecord } from "./record.ts";

/**
 * The most that fell into any window of `windowMs` (half-open), sliding, not aligned to seconds: counts, or the
 * sum of `costs` where one is given for each time. The times need not be sorted if there are no costs.
 */
export function slidingWindowMax(
  times: readonly number[],
  windowMs: number,
  costs?: readonly number[],
): number {
  const sorted = costs === undefined ? Float64Array.from(times).sort() : times;
  let most = 0;
  let sum = 0;
  let first = 0;
  for (let last = 0; last < sorted.length; last++) {
    sum += costs?.[last] ?? 1;
    while (sorted[last]! - sorted[first]! >= windowMs) {
      sum -= costs?.[first] ?? 1;
      first++;
    }
    if (sum > most) most = sum;
  }
  return most;
}

/** The key of a conversation: the sender's number and the contact's, as the provider got them. */
export function conversationKey(call: Pick<CallRecord, "from" | "to">): string {
  return `${call.from}|${call.to}`;
}

/** The calls of each conversation in order of arrival. */
export function callsByConversation(calls: Iterable<CallRecord>): Map<string, CallRecord[]> {
  const byKey = new Map<string, CallRecord[]>();
  for (const call of calls) {
    const key = conversationKey(call);
    const list = byKey.get(key);
    if (list === undefined) byKey.set(key, [call]);
    else list.push(call);
  }
  return byKey;
}

/** The sender's ids that the carrier took more than once, with how often. */
export function acceptedMoreThanOnce(calls: Iterable<CallRecord>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const call of calls) {
    if (call.accepted && call.messageId !== null) {
      counts.set(call.messageId, (counts.get(call.messageId) ?? 0) + 1);
    }
  }
  for (const [id, count] of counts) if (count < 2) counts.delete(id);
  return counts;
}
