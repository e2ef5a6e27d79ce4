/**
 * Sending: what the carrier took fits what is stored of it, nothing left twice, and everything left in order.
 *
 * @module
 */
import { callName, type LinkedCall } from "./carrier_calls.ts";
import type { Findings } from "./findings.ts";
import type { OpenEnd, Promised, StoredMessage } from "./run.ts";

const ENDS_WITH_REASON: ReadonlySet<string> = new Set([
  "failed",
  "undelivered",
  "rejected",
  "expired",
  "blocked",
]);
const KNOWN_AS_TAKEN: ReadonlySet<string> = new Set(["sent", "delivered", "undelivered"]);

/** What was promised over the API is stored once, under the id that was given. */
export function checkPromised(
  promised: readonly Promised[],
  messages: readonly StoredMessage[],
  found: Findings,
): void {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const stored = Map.groupBy(
    messages.filter(({ direction }) => direction === "outbound"),
    ({ text }) => text,
  );
  const wanted = Map.groupBy(promised, ({ text }) => text);
  for (const { messageId, text } of promised) {
    found.looked++;
    if (byId.get(messageId)?.text !== text) found.fault("promised and not stored", messageId);
  }
  for (const [text, list] of wanted) {
    const different = new Set(list.map(({ messageId }) => messageId)).size;
    if ((stored.get(text)?.length ?? 0) > different) {
      found.fault("promised once and stored more than once", text);
    }
  }
}

/** Whether the carrier said with its answer that it did not take the message. */
const wasDenied = ({ call }: LinkedCall) => typeof call.answer === "number" && call.answer >= 300;

/** Sent ⊆ delivered ∪ failed with a reason, and nothing is called sent that the carrier never got. */
export function checkSent(
  calls: readonly LinkedCall[],
  messages: readonly StoredMessage[],
  openEnd: OpenEnd,
  found: Findings,
): void {
  const taken = Map.groupBy(calls.filter(({ call }) => call.accepted), (linked) => linked.message);
  for (const linked of taken.get(null) ?? []) {
    found.fault("taken by the carrier and not stored", callName(linked));
  }
  // A record that begins late or has holes cannot say what was never sent.
  const isWhole = calls.every(({ call }, index) => call.sequence === index + 1);
  if (!isWhole) {
    found.note("calls missing in the record: what was never sent is not checked", `${calls.length} held`);
  }
  for (const message of messages) {
    if (message.direction !== "outbound") continue;
    found.looked++;
    const { id, status } = message;
    const own = taken.get(message) ?? [];
    if (own.length === 0) {
      if (isWhole && KNOWN_AS_TAKEN.has(status)) found.fault(`${status}, but never taken by the carrier`, id);
    } else if (!message.steps.some((step) => KNOWN_AS_TAKEN.has(step))) {
      judgeUnknown(message, own, openEnd, found);
    }
    judgeEnd(message, openEnd, found);
  }
}

/** The carrier has it, and the message's history does not know. */
function judgeUnknown(
  message: StoredMessage,
  calls: readonly LinkedCall[],
  openEnd: OpenEnd,
  found: Findings,
): void {
  const { id, status } = message;
  if (message.wasUncertain) found.note(`taken by the carrier, kept as ${status} and uncertain`, id);
  else if (calls.every(wasDenied)) {
    found.note(`taken by the carrier, though it answered no, kept as ${status}`, id);
  } else if (openEnd === "any" && status === "sending") {
    found.note("taken by the carrier and sending when the run was cut", id);
  } else found.fault(`taken by the carrier, but kept as ${status}`, id);
}

function judgeEnd(message: StoredMessage, openEnd: OpenEnd, found: Findings): void {
  const { id, status, uncertain } = message;
  if (ENDS_WITH_REASON.has(status)) {
    if (message.reason === null || message.reason.trim() === "") {
      found.fault(`${status} without a reason`, id);
    }
  } else if (status === "sending" && uncertain) found.note("uncertain: held until a report comes", id);
  else if (status === "queued" || status === "sending") {
    if (openEnd === "any") found.note(`still ${status}`, id);
    else found.fault(`left ${status}`, id);
  } else if (status === "sent") {
    if (openEnd === "none") found.fault("sent, and neither delivered nor failed", id);
    else found.note("sent, its report still to come", id);
  }
}

/** No message is taken twice by the carrier, except where nobody could know; those are listed. */
export function checkSentOnce(calls: readonly LinkedCall[], found: Findings): void {
  const taken = calls.filter(({ call }) => call.accepted);
  const byName = Map.groupBy(taken, callName);
  for (const [name, list] of byName) {
    found.looked++;
    if (list.length < 2) continue;
    const example = `${name} (${list.length} times)`;
    if (list[0]!.message?.wasUncertain === true) found.note("taken twice after an uncertain try", example);
    else if (list.slice(0, -1).every(wasDenied)) {
      found.note("taken twice, after an answer that said no", example);
    } else found.fault("taken more than once", example);
  }
}

/**
 * What leaves in a conversation leaves in the order in which it was written. Not judged: what was uncertain or asked
 * for a later start, since nothing waits for those, and what was taken more than once.
 */
export function checkSentOrder(calls: readonly LinkedCall[], found: Findings): void {
  const taken = calls.filter(({ call, message }) => call.accepted && message !== null);
  const times = Map.groupBy(taken, ({ message }) => message!.id);
  const last = new Map<string, number>();
  for (const { message } of taken) {
    const { id, conversation, position, wasUncertain, isScheduled } = message!;
    if (wasUncertain || isScheduled || times.get(id)!.length > 1) continue;
    found.looked++;
    if (position < (last.get(conversation) ?? 0)) {
      found.fault("left after a later one of its conversation", id);
    } else last.set(conversation, position);
  }
}
