/**
 * What a settlement writes.
 *
 * @module
 */
import type { MessageError } from "../errors.ts";
import { messageEvent } from "../message_event.ts";
import type { StatusStep } from "../message.ts";
import type { MoveItem, RecordRow } from "../ports/send_store.ts";
import { storableText } from "../storable_text.ts";
import type { Settlement } from "./outcome.ts";
import type { Place } from "./fallback.ts";
import { type QueuedMessage, sendLaneOf } from "./queued_message.ts";

/** The row that records `settlement` of `message`, whose `attempts` are those it was claimed with. */
export function recordRow(
  message: QueuedMessage,
  lane: number,
  settlement: Settlement,
  atMs: number,
): RecordRow {
  const written = writtenBy(settlement, message);
  const change = {
    status: written.status,
    atMs,
    providerId: written.provider_id,
    error: written.error,
    uncertain: written.uncertain,
  };
  return {
    id: message.id,
    lane,
    channel_id: message.channel_id,
    claimed: message.attempts,
    ...written,
    step: stepOf(written, settlement.kind, atMs),
    event: messageEvent(message, change),
  };
}

/** What moves `message` to another channel. */
export function moveItem(message: QueuedMessage, place: Place, reason: string, atMs: number): MoveItem {
  const number = place.number === message.number ? "" : `; from ${place.number} instead of ${message.number}`;
  return {
    id: message.id,
    lane: sendLaneOf(message.channel_id),
    channel_id: message.channel_id,
    attempts: message.attempts,
    to_channel_id: place.channelId,
    number_id: place.numberId,
    number: place.number,
    encoding: place.encoding,
    segments: place.segments,
    step: { status: "queued", at: new Date(atMs).toISOString(), reason: storableText(reason + number) },
  };
}

/** The message as the scheduler is to know it after a settlement that lets it go again. */
export function afterRecord(message: QueuedMessage, row: RecordRow): QueuedMessage {
  return { ...message, attempts: row.attempts, uncertain: row.uncertain, error: row.error };
}

type Written = Pick<RecordRow, "status" | "attempts" | "provider_id" | "uncertain" | "error">;

function writtenBy(settlement: Settlement, message: QueuedMessage): Written {
  const { attempts, uncertain, error } = message;
  switch (settlement.kind) {
    case "sent":
      return {
        status: "sent",
        attempts,
        provider_id: settlement.providerId === null ? null : storableText(settlement.providerId),
        uncertain: false,
        error: null,
      };
    case "retry":
      return {
        status: "queued",
        attempts: settlement.attempts,
        provider_id: null,
        uncertain: settlement.uncertain,
        error: storableError(settlement.error),
      };
    case "hold":
      return {
        status: "sending",
        attempts,
        provider_id: null,
        uncertain: true,
        error: storableError(settlement.error),
      };
    case "end":
      return {
        status: settlement.status,
        attempts,
        provider_id: null,
        uncertain: settlement.uncertain,
        error: storableError(settlement.error),
      };
    case "returned":
      return { status: "queued", attempts: attempts - 1, provider_id: null, uncertain, error };
  }
}

function storableError(error: MessageError): MessageError {
  return {
    ...error,
    ...(error.providerCode === undefined ? {} : { providerCode: storableText(error.providerCode) }),
    reason: storableText(error.reason),
  };
}

function stepOf(written: Written, kind: Settlement["kind"], atMs: number): StatusStep {
  const step = { status: written.status, at: new Date(atMs).toISOString() };
  if (kind === "returned") return { ...step, reason: "given back without a call" };
  if (written.error === null) return step;
  const { reason, providerCode } = written.error;
  return {
    ...step,
    ...(providerCode === undefined ? {} : { providerCode }),
    reason: written.uncertain ? `uncertain, the provider may have it: ${reason}` : reason,
  };
}
