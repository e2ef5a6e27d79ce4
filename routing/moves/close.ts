/**
 * How a session ends.
 *
 * @module
 */
import type { Command, CommandEntry, CommandReply } from "../../core/entry.ts";
import type { CloseReason } from "../../core/session.ts";
import type { Draft } from "../draft.ts";
import { closeCall } from "../in_call.ts";
import { authorName, mayDirect, notOpen, notYours } from "../refusal.ts";
import { sayOfQueue } from "../saying.ts";

export function close(draft: Draft, entry: CommandEntry, sessionId: string): CommandReply {
  const { session } = draft;
  if (session === null || session.id !== sessionId) return notOpen(sessionId);
  if (!mayDirect(entry.author, session)) return notYours(session, draft.directory);
  const by = authorName(entry);
  const reasons = { extension: "agent", platform: "platform", key: "api", system: "api" } as const;
  const reason: CloseReason = reasons[entry.author.kind];
  if (session.kind === "call") {
    closeCall(draft, reason, by);
    return { ok: true, sessionId };
  }
  // Whoever ends the wrap-up ends what was closed before.
  if (session.state === "wrap-up") {
    draft.close("close", session.close_reason ?? "agent", by);
    return { ok: true, sessionId };
  }
  sayOfQueue(draft, "closed", (texts) => texts.closed);
  const wrapUpSeconds = draft.queue?.wrapUpSeconds ?? 0;
  if (session.state === "active" && entry.author.kind === "extension" && wrapUpSeconds > 0) {
    wrapUp(draft, wrapUpSeconds, by);
  } else {
    draft.close("close", reason, by);
  }
  return { ok: true, sessionId };
}

/** The agent keeps the session for a while, for notes and tags, before it is closed. */
function wrapUp(draft: Draft, seconds: number, by: string): void {
  const untilMs = draft.atMs + seconds * 1_000;
  // The timer of idle sessions ends it where the dispatcher does not.
  draft.move("wrap-up", { wrap_until_ms: untilMs, idle_ms: untilMs, close_reason: "agent" }, { by });
  draft.event("session.wrap-up", { by, wrapUpUntil: new Date(untilMs).toISOString() });
}

/** Back to the agent who ended it, who still knows what it is about. */
export function reopen(draft: Draft, by: string): void {
  draft.move("reopen", { close_reason: null, idle_ms: draft.idleAtMs }, { by });
  draft.event("session.reopened", { by });
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
