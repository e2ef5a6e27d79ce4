/**
 * Which stored message each call at the carrier was about.
 *
 * @module
 */
import type { CallRecord } from "../simulator/record.ts";
import type { StoredMessage } from "./run.ts";

/** A call with the message it was about; null when none fits. */
export interface LinkedCall {
  readonly call: CallRecord;
  readonly message: StoredMessage | null;
}

/**
 * Links by our id where the call shows it, else by the provider's id, else by both numbers and the text if only one
 * message fits.
 */
export function linkCalls(calls: readonly CallRecord[], messages: readonly StoredMessage[]): LinkedCall[] {
  const outbound = messages.filter(({ direction }) => direction === "outbound");
  const byId = new Map(outbound.map((message) => [message.id, message]));
  const byProviderId = new Map(
    outbound.flatMap((message) =>
      message.providerId === null ? [] : [[message.providerId, message] as const]
    ),
  );
  const byContent = Map.groupBy(outbound, ({ number, contact, text }) => contentKey(number, contact, text));
  return calls.map((call) => {
    if (call.messageId !== null) return { call, message: byId.get(call.messageId) ?? null };
    const known = call.providerId === null ? undefined : byProviderId.get(call.providerId);
    const alike = call.text === null ? [] : byContent.get(contentKey(call.from, call.to, call.text)) ?? [];
    return { call, message: known ?? (alike.length === 1 ? alike[0]! : null) };
  });
}

function contentKey(from: string, to: string, text: string): string {
  return `${digits(from)} ${digits(to)} ${text}`;
}

/** Providers write numbers with and without the plus. */
export function digits(number: string): string {
  return number.replace(/^\+/, "");
}

/** What the call stands for in a report. */
export function callName({ call, message }: LinkedCall): string {
  return message?.id ?? call.messageId ?? call.providerId ?? `call ${call.sequence}`;
}
