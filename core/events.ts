/**
 * Events for subscribers: CloudEvents 1.0, structured JSON, one event a message.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 *
 * @module
 */
export const EVENT_TYPES = [
  "message.received",
  "message.queued",
  "message.sent",
  "message.delivered",
  "message.failed",
  "message.blocked",
  "message.media",
  "session.opened",
  "session.waiting",
  "session.offered",
  "session.declined",
  "session.assigned",
  "session.transferred",
  "session.wrap-up",
  "session.reopened",
  "session.closed",
  "session.note",
  "session.tagged",
  "contact.opted-out",
  "contact.opted-in",
  "agent.presence",
  "queue.threshold",
  "agent.message",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** Who, besides administrators and supervisors, an event concerns. Travels as CloudEvents extension attributes. */
export interface Audience {
  readonly extensionId?: string | null;
  readonly queueId?: string | null;
  readonly platformId?: string | null;
}

/** In place of the channel and the number of an event that has to do with neither. */
export const NO_CHANNEL = "-";

export interface PatchbayEvent {
  /** Never changes for the same fact. */
  readonly id: string;
  readonly type: EventType;
  readonly atMs: number;
  readonly channelId: string;
  /** Ours. */
  readonly number: string;
  readonly audience: Audience;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A CloudEvent as it stands in the stream. */
export interface CloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly subject: string;
  readonly extensionid?: string;
  readonly queueid?: string;
  readonly platformid?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The event as CloudEvent; `source` names the channel, `subject` our number; or both the extension or queue it is about. */
export function toCloudEvent(event: PatchbayEvent): CloudEvent {
  const { extensionId, queueId, platformId } = event.audience;
  const concerned = event.channelId !== NO_CHANNEL
    ? null
    : extensionId
    ? { path: "extensions", id: extensionId }
    : { path: "queues", id: queueId ?? "" };
  return {
    specversion: "1.0",
    id: event.id,
    source: concerned === null ? `/v1/channels/${event.channelId}` : `/v1/${concerned.path}/${concerned.id}`,
    type: event.type,
    time: new Date(event.atMs).toISOString(),
    datacontenttype: "application/json",
    subject: concerned === null ? event.number : concerned.id,
    ...(extensionId ? { extensionid: extensionId } : {}),
    ...(queueId ? { queueid: queueId } : {}),
    ...(platformId ? { platformid: platformId } : {}),
    data: event.data,
  };
}

/** A number as one token of a subject: without "+" and without anything that NATS reads as syntax. */
export function subjectToken(number: string): string {
  const token = number.replace(/^\+/, "").replace(/[^0-9A-Za-z_-]/g, "_");
  return token === "" ? "-" : token;
}
