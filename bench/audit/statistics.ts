/**
 * What was counted and told equals what the messages' own histories say.
 *
 * @module
 */
import { eventTypeOf } from "../../core/message_event.ts";
import type { OutboundStatus } from "../../core/message.ts";
import type { Findings } from "./findings.ts";
import type { Counted, StoredMessage, Told } from "./run.ts";

const FAILED: ReadonlySet<string> = new Set(["failed", "undelivered", "rejected", "expired"]);
const COUNTS = ["received", "segmentsIn", "sent", "segmentsOut", "delivered", "failed"] as const;
type Counts = Record<(typeof COUNTS)[number], number>;

const none = (): Counts => ({ received: 0, segmentsIn: 0, sent: 0, segmentsOut: 0, delivered: 0, failed: 0 });
const keyOf = ({ channelId, number }: { readonly channelId: string; readonly number: string }) =>
  `${channelId} ${number}`;

/** The counters of each channel's numbers. */
export function checkStatistics(
  counted: readonly Counted[],
  messages: readonly StoredMessage[],
  found: Findings,
): void {
  const actual = new Map<string, Counts>();
  for (const message of messages) {
    const key = keyOf(message);
    let counts = actual.get(key);
    if (counts === undefined) actual.set(key, counts = none());
    if (message.direction === "inbound") {
      counts.received++;
      counts.segmentsIn += message.segments;
      continue;
    }
    if (message.steps.includes("sent")) {
      counts.sent++;
      counts.segmentsOut += message.segments;
    }
    if (message.status === "delivered") counts.delivered++;
    if (message.steps.some((step) => FAILED.has(step))) counts.failed++;
  }
  const stored = new Map(counted.map((counts) => [keyOf(counts), counts]));
  for (const key of new Set([...actual.keys(), ...stored.keys()])) {
    found.looked++;
    const [is, says] = [stored.get(key) ?? none(), actual.get(key) ?? none()];
    for (const name of COUNTS) {
      if (is[name] !== says[name]) {
        found.fault("counted wrongly", `${key}: ${is[name]} ${name}, the messages say ${says[name]}`);
      }
    }
  }
}

/** Each stored message, and each step of it that subscribers hear of, was told: always under the same id. */
export function checkEvents(
  events: readonly Told[],
  messages: readonly StoredMessage[],
  found: Findings,
): void {
  const told = new Map<string, Map<string, Set<string>>>();
  for (const { id, type, messageId } of events) {
    let types = told.get(messageId);
    if (types === undefined) told.set(messageId, types = new Map());
    const ids = types.get(type);
    if (ids === undefined) types.set(type, new Set([id]));
    else ids.add(id);
  }
  const stored = new Map(messages.map((message) => [message.id, message]));
  for (const message of messages) {
    found.looked++;
    const types = told.get(message.id);
    for (const type of expectedTypes(message)) {
      if (types?.has(type) !== true) found.fault("stored and never told", `${message.id} as ${type}`);
    }
  }
  for (const [messageId, types] of told) {
    const message = stored.get(messageId);
    if (message === undefined) found.fault("told and not stored", messageId);
    const expected = message === undefined ? null : expectedTypes(message);
    for (const [type, ids] of types) {
      if (ids.size > 1) found.fault("told under different ids", `${messageId} as ${type} (${ids.size})`);
      if (expected?.has(type) === false) {
        found.fault("told, and not in the message's history", `${messageId} as ${type}`);
      }
    }
  }
}

function expectedTypes({ direction, steps }: StoredMessage): Set<string> {
  if (direction === "inbound") return new Set(["message.received"]);
  return new Set(["message.queued", ...steps.flatMap((step) => eventTypeOf(step as OutboundStatus) ?? [])]);
}
