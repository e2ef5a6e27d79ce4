/**
 * Messages, channels and numbers for the tests of sending.
 *
 * @module
 */
import { type Channel, ChannelSettingsSchema, type OwnNumber } from "../../core/channel.ts";
import type { MessageRow } from "../../core/message.ts";

export const CHANNEL_ID = `ch_${"c".repeat(26)}`;
export const NUMBER_ID = `num_${"n".repeat(26)}`;
export const OUR_NUMBER = "+15145550100";

/** An id of the form that messages have, in order of `index`. */
export function messageId(index: number, atMs = 1_700_000_000_000): string {
  return `msg_${atMs.toString(32).padStart(10, "0")}${index.toString(32).padStart(16, "0")}`;
}

export function conversationName(index: number): string {
  return `cnv_${index.toString(32).padStart(26, "0")}`;
}

/** A queued reply; `index` gives its id and position. */
export function queuedMessage(index: number, changes: Partial<MessageRow> = {}): MessageRow {
  const created_ms = changes.created_ms ?? 1_700_000_000_000;
  return {
    id: messageId(index, created_ms),
    conversation_id: conversationName(0),
    position: index,
    session_id: null,
    channel_id: CHANNEL_ID,
    number_id: NUMBER_ID,
    number: OUR_NUMBER,
    contact: "+15145550199",
    direction: "outbound",
    status: "queued",
    priority: 0,
    text: `text ${index}`,
    encoding: "gsm7",
    segments: 1,
    media: null,
    author: null,
    extension_id: null,
    queue_id: null,
    platform_id: null,
    provider_id: null,
    attempts: 0,
    uncertain: false,
    error: null,
    note: null,
    history: [{ status: "queued", at: new Date(created_ms).toISOString() }],
    not_before_ms: null,
    expires_ms: null,
    created_ms,
    updated_ms: created_ms,
    ...changes,
  };
}

export function channelOf(settings: Record<string, unknown> = {}, changes: Partial<Channel> = {}): Channel {
  return {
    id: CHANNEL_ID,
    name: "test",
    provider: "test",
    enabled: true,
    isDefault: false,
    settings: ChannelSettingsSchema.parse(settings),
    credentials: {},
    ...changes,
  };
}

export function ownNumber(changes: Partial<OwnNumber> = {}): OwnNumber {
  return {
    id: NUMBER_ID,
    channelId: CHANNEL_ID,
    number: OUR_NUMBER,
    type: "geographic",
    label: null,
    verified: true,
    direction: "both",
    purpose: "chat",
    rateMps: null,
    burst: null,
    destination: null,
    allowedExtensions: [],
    allowedQueues: [],
    optOut: null,
    ...changes,
  };
}
