/**
 * How a session ends.
 *
 * @module
 */
import type { Command, CommandEntry, CommandReply } from "../../core/entry.ts";
import type { CloseReason } from "../../core/session.ts";
import type { Draft } from "../draft.ts";
import { authorName, mayDirect, notOpen, notYours } from "../refusal.ts";

export function close(draft: Draft, entry: CommandEntry, sessionId: string): CommandReply {
  const { session } = draft;
  if (session === null || session.id !== sessionId) return notOpen(sessionId);
  if (!mayDirect(entry.author, session)) return notYours(session, draft.directory);
  const reasons = { extension: "agent", platform: "platform", key: "api", system: "api" } as const;
  draft.close("close", reasons[entry.author.kind] satisfies CloseReason, authorName(entry));
  return { ok: true, sessionId };
}

/** A timer's view may be old: whoever wrote since has moved `idle_ms`, and then nothing happens. */
export function closeIdle(draft: Draft, entry: CommandEntry, sessionId: string): CommandReply {
  const { session } = draft;
  if (session === null || session.id !== sessionId || session.idle_ms > entry.at) {
    return { ok: true, sessionId };
  }
  if (session.state === "wrap-up") draft.close("wrap-up-over", session.close_reason ?? "idle", "system");
  else draft.close("close", "idle", "system");
  return { ok: true, sessionId };
}

/** The time for notes is up; nothing happens where the session has moved since. */
export function endWrapUp(
  draft: Draft,
  { sessionId, version }: Extract<Command, { kind: "wrap-up-over" }>,
): CommandReply {
  const { session } = draft;
  if (session?.id === sessionId && session.state === "wrap-up" && session.version === version) {
    draft.close("wrap-up-over", session.close_reason ?? "idle", "system");
  }
  return { ok: true };
}
