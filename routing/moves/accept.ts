/**
 * Somebody takes a session: out of their queue, or because it was offered to them.
 *
 * @module
 */
import type { Command, CommandReply } from "../../core/entry.ts";
import { assertNever } from "../../core/errors.ts";
import type { SessionRow } from "../../core/session.ts";
import type { Draft } from "../draft.ts";
import { holding } from "../new_rows.ts";
import { extensionName, holderIn, holderName, notOpen, refuse } from "../refusal.ts";
import { sayOfQueue } from "../saying.ts";

/** The first wins; whoever comes after is told who did. */
export function accept(
  draft: Draft,
  { sessionId, extensionId }: Extract<Command, { kind: "accept" }>,
): CommandReply {
  const { session, directory } = draft;
  if (session === null || session.id !== sessionId) return notOpen(sessionId);
  if (!directory.extensions.has(extensionId)) {
    return refuse(422, "unknown-extension", `there is no extension ${extensionId}`);
  }
  switch (session.state) {
    case "waiting": {
      const queue = session.queue_id === null ? undefined : directory.queues.get(session.queue_id);
      if (queue !== undefined && !queue.members.has(extensionId)) {
        return refuse(
          403,
          "not-a-member",
          `extension ${extensionId} is not a member of the queue ${queue.name}`,
        );
      }
      return take(draft, session, extensionId, `extension:${extensionId}`);
    }
    case "offered":
      if (session.offered_to === extensionId) {
        return take(draft, session, extensionId, `extension:${extensionId}`);
      }
      return {
        ...refuse(
          409,
          "offered-to-another",
          `the session is offered to ${extensionName(session.offered_to ?? "", directory)}`,
        ),
      };
    case "active":
      if (session.extension_id === extensionId) return { ok: true, sessionId };
      return {
        ...refuse(409, "already-accepted", `the session was accepted by ${holderName(session, directory)}`),
        ...holderIn(session),
      };
    case "platform":
      return refuse(409, "held-by-platform", "a platform holds the session; it was not offered to anyone");
    case "wrap-up":
      return {
        ...refuse(409, "in-wrap-up", `the session was ended by ${holderName(session, directory)}`),
        ...holderIn(session),
      };
    case "closed":
      return notOpen(sessionId);
    default:
      return assertNever(session.state);
  }
}

/** Tells the contact who is there now. */
export function greetAs(draft: Draft, extensionId: string): void {
  const agent = draft.directory.extensions.get(extensionId)?.name;
  sayOfQueue(draft, "joined", (texts) => texts.joined, { agent });
}

/** From now on the session is the extension's; it still counts for the queue that it waited in. */
export function take(draft: Draft, session: SessionRow, extensionId: string, by: string): CommandReply {
  draft.move("accept", {
    ...holding({ kind: "extension", id: extensionId }),
    queue_id: session.queue_id,
    accepted_ms: session.accepted_ms ?? draft.atMs,
    declined_by: [],
  }, { by });
  draft.event("session.assigned", { by });
  greetAs(draft, extensionId);
  draft.setUnanswered(draft.atMs);
  return { ok: true, sessionId: session.id };
}
