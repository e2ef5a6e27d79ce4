/**
 * What events tell of a session.
 *
 * @module
 */
import type { SessionRow } from "../core/session.ts";

export function sessionData(session: SessionRow): Record<string, unknown> {
  return {
    sessionId: session.id,
    conversationId: session.conversation_id,
    channelId: session.channel_id,
    number: session.number,
    contact: session.contact,
    state: session.state,
    extensionId: session.extension_id,
    queueId: session.queue_id,
    platformId: session.platform_id,
    ...(session.offered_to === null ? {} : { offeredTo: session.offered_to }),
    ...(session.call_id === null ? {} : { callId: session.call_id }),
  };
}
