/**
 * Touches: a message in a conversation mostly changes its position and two times of its open session, and nothing else.
 * These stand in columns of their own beside the state, so that the whole of it is written only when more has changed.
 *
 * @module
 */
import type { StoredConversation } from "../core/ports/conversation_store.ts";
import type { SessionRow } from "../core/session.ts";
import { type ConversationState, NEW_CONVERSATION } from "./conversation.ts";

/** Whether what is stored before, together with the columns beside it, is enough to know what it is after. */
export function isTouch(before: ConversationState, after: ConversationState): boolean {
  return before !== NEW_CONVERSATION && after.position > before.position &&
    isSame(before, after, STATE_COLUMNS) && isSameSession(before.session, after.session);
}

/** The state with the touches since it was written. */
export function withTouches(stored: StoredConversation): ConversationState {
  const state = stored.state as ConversationState;
  const { position, lastActivityMs: last_activity_ms, idleMs } = stored;
  // Without a message since, the times beside it may be those of something else.
  if (position <= state.position) return state;
  const { session } = state;
  return {
    ...state,
    position,
    session: session === null ? null : { ...session, last_activity_ms, idle_ms: idleMs ?? session.idle_ms },
  };
}

const STATE_COLUMNS: ReadonlySet<string> = new Set<keyof ConversationState>(["position", "session"]);
const SESSION_COLUMNS: ReadonlySet<string> = new Set<keyof SessionRow>(["last_activity_ms", "idle_ms"]);

function isSameSession(before: SessionRow | null, after: SessionRow | null): boolean {
  if (before === null || after === null) return before === after;
  return before === after || isSame(before, after, SESSION_COLUMNS);
}

/** By identity: what is decided copies what it leaves alone. */
function isSame<T extends object>(before: T, after: T, except: ReadonlySet<string>): boolean {
  for (const name in after) if (after[name] !== before[name] && !except.has(name)) return false;
  for (const name in before) if (!(name in after)) return false;
  return true;
}
