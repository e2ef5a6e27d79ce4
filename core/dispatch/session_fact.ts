/**
 * What the dispatcher is told of a session.
 *
 * @module
 */
import type { SessionRow } from "../session.ts";
import type { SessionFact } from "./entry.ts";

/**
 * Whether it is among what is given out to people: what only a platform holds, or nobody at all, is not. Who has a call
 * is for the phone system to say, and a call takes no room that texts could have.
 */
export function concernsPeople({ kind, queue_id, extension_id }: SessionRow): boolean {
  return kind === "chat" && (queue_id !== null || extension_id !== null);
}

/** How the session stands since `at`; `unansweredSinceMs` is when its contact wrote last. Both ms since 1970. */
export function sessionFact(session: SessionRow, at: number, unansweredSinceMs: number | null): SessionFact {
  return {
    kind: "session",
    at,
    sessionId: session.id,
    number: session.number,
    contact: session.contact,
    version: session.version,
    state: session.state,
    queueId: session.queue_id,
    extensionId: session.extension_id,
    offeredTo: session.offered_to,
    offerUntilMs: session.offer_until_ms,
    openedMs: session.opened_ms,
    waitingSinceMs: session.waiting_since_ms ?? session.opened_ms,
    priority: session.priority,
    ...(session.skills === null ? {} : { skills: session.skills }),
    ...(session.language === null ? {} : { language: session.language }),
    ...(session.sticky_extension_id === null ? {} : { stickyExtensionId: session.sticky_extension_id }),
    ...(session.declined_by.length === 0 ? {} : { declinedBy: [...session.declined_by] }),
    ...(session.wrap_until_ms === null ? {} : { wrapUntilMs: session.wrap_until_ms }),
    ...(unansweredSinceMs === null ? {} : { unansweredSinceMs }),
  };
}
