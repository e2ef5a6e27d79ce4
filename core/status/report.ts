/**
 * What a delivery report changes.
 *
 * Any report says that the provider took the message. When it comes before the sender's own result, the step
 * `sent` is made up for here, with its count and its event, and the result changes nothing any more: each
 * message is counted and told as sent once, whoever is first.
 *
 * @module
 */
import type { ReportEntry } from "../entry.ts";
import { type ErrorClass, FINAL_CLASSES, type MessageError, RETRYABLE_CLASSES } from "../errors.ts";
import type { PatchbayEvent } from "../events.ts";
import { climbs, type MessageRow, type OutboundStatus, STATUS_RANK, type StatusStep } from "../message.ts";
import { type EventSubject, messageEvent } from "../message_event.ts";
import { storableText } from "../storable_text.ts";

/** What of a message decides. */
export type ReportedMessage =
  & EventSubject
  & Pick<MessageRow, "status" | "provider_id" | "uncertain" | "error">;

/** Counts to be added to the message's hour. */
export interface ReportCounts {
  readonly sent: number;
  readonly delivered: number;
  readonly failed: number;
  readonly segments_out: number;
}

export interface ReportChange {
  /** The message after the report. */
  readonly message: ReportedMessage;
  readonly steps: readonly StatusStep[];
  readonly events: readonly PatchbayEvent[];
  readonly counts: ReportCounts;
}

const CLASSES: ReadonlySet<string> = new Set([...RETRYABLE_CLASSES, ...FINAL_CLASSES]);

/** The class of a report that does not give one. */
const DEFAULT_CLASS: Readonly<Record<"failed" | "undelivered" | "rejected" | "expired", ErrorClass>> = {
  failed: "unknown",
  undelivered: "unreachable",
  rejected: "rejected",
  expired: "unreachable",
};

/** Applies `report` to `message`; null when it says nothing new. */
export function applyReport(message: ReportedMessage, report: ReportEntry): ReportChange | null {
  // Nobody was asked to send it yet: whatever this report is about, it is not this message.
  if (STATUS_RANK[message.status] === 0 && message.attempts === 0) return null;
  const providerId = message.provider_id ??
    (report.providerId === undefined ? null : storableText(report.providerId));
  const settled: ReportedMessage = { ...message, provider_id: providerId, uncertain: false };
  if (!climbs(message.status, report.status)) {
    const isNews = message.uncertain || providerId !== message.provider_id;
    return isNews ? { message: settled, steps: [], events: [], counts: countsOf([], message) } : null;
  }
  const error = errorOf(report);
  const path: OutboundStatus[] = STATUS_RANK[message.status] < STATUS_RANK.sent && report.status !== "sent"
    ? ["sent", report.status]
    : [report.status];
  const at = new Date(report.at).toISOString();
  return {
    message: { ...settled, status: report.status, error },
    steps: path.map((status) => stepOf(status, at, status === report.status ? error : null)),
    events: path.flatMap((status) =>
      messageEvent(message, {
        status,
        atMs: report.at,
        providerId,
        error: status === report.status ? error : null,
        uncertain: false,
      }) ?? []
    ),
    counts: countsOf(path, message),
  };
}

function stepOf(status: OutboundStatus, at: string, error: MessageError | null): StatusStep {
  return {
    status,
    at,
    ...(error?.providerCode === undefined ? {} : { providerCode: error.providerCode }),
    ...(error === null ? {} : { reason: error.reason }),
  };
}

function errorOf({ status, error }: ReportEntry): MessageError | null {
  if (status === "sent" || status === "delivered") return null;
  if (error === undefined) {
    return { class: DEFAULT_CLASS[status], reason: `the provider reports it as ${status}` };
  }
  return {
    class: CLASSES.has(error.class) ? error.class as ErrorClass : DEFAULT_CLASS[status],
    ...(error.providerCode === undefined ? {} : { providerCode: storableText(error.providerCode) }),
    reason: storableText(error.reason),
  };
}

function countsOf(path: readonly OutboundStatus[], { segments }: ReportedMessage): ReportCounts {
  const sent = path.includes("sent") ? 1 : 0;
  const last = path.at(-1);
  return {
    sent,
    delivered: last === "delivered" ? 1 : 0,
    failed: last !== undefined && last !== "sent" && last !== "delivered" ? 1 : 0,
    segments_out: sent * segments,
  };
}
