/**
 * Waking the send workers with what was just committed: the fast path, nothing rests on it.
 *
 * @module
 */
import type { QueuedMessage } from "../../core/send/queued_message.ts";
import type { Parts } from "./parts.ts";

/** Messages in one nudge: it stays far below the broker's limit, and what it misses is found by a sweep. */
const NUDGE_MAX = 100;

/** Tells of messages to whoever sends for their channels. */
export function sendNudger({ connection, names }: Parts): (messages: readonly QueuedMessage[]) => void {
  return (messages) => {
    const bySubject = Map.groupBy(messages, (m) => names.outSubject(m.channel_id, m.priority));
    for (const [subject, group] of bySubject) {
      for (let start = 0; start < group.length; start += NUDGE_MAX) {
        const payload = JSON.stringify(group.slice(start, start + NUDGE_MAX));
        if (payload.length < (connection.info?.max_payload ?? 0) / 3) connection.publish(subject, payload);
      }
    }
  };
}
