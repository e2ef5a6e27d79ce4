/**
 * A platform's time with a session is over: people take it.
 *
 * @module
 */
import type { CommandReply } from "../../core/entry.ts";
import { destinationExists } from "../../core/rules/decide.ts";
import type { Draft } from "../draft.ts";
import { holdEnd } from "../hold.ts";
import { handOver } from "./transfer.ts";

/** Its timer's view may be old: whether the time is over is decided by what is known here. */
export function endHold(draft: Draft, sessionId: string): CommandReply {
  const { session, hold, directory } = draft;
  if (session?.id !== sessionId || session.platform_id === null || hold === null) return { ok: true };
  const platform = directory.platforms.get(session.platform_id);
  const reason = holdEnd(hold, platform, draft.atMs);
  if (reason === null) {
    draft.reviewHold();
    return { ok: true };
  }
  const fallback = platform?.fallback ?? null;
  // What was deleted since is no place to wait for: without a destination the session is seen by supervisors.
  const to = fallback !== null && destinationExists(fallback, directory) ? fallback : null;
  handOver(draft, session, to, "system", { reason });
  return { ok: true, sessionId };
}
