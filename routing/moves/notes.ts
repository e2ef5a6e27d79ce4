/**
 * Notes and tags: nothing of it moves a session.
 *
 * @module
 */
import type { Command, CommandEntry, CommandReply } from "../../core/entry.ts";
import { TAGS_MAX } from "../../core/session_notes.ts";
import type { Draft } from "../draft.ts";
import { authorName, mayDirect, notOpen, notYours, refuse } from "../refusal.ts";

/** Whoever was let through to the session may write one, also when it is closed: that is what is left to do then. */
export function addNote(
  draft: Draft,
  entry: CommandEntry,
  { sessionId, text }: Extract<Command, { kind: "note" }>,
): CommandReply {
  const by = authorName(entry);
  const { id: noteId } = draft.addNote(sessionId, text, by);
  if (draft.session?.id === sessionId) draft.event("session.note", { noteId, text, by });
  else draft.eventAfterwards("session.note", { sessionId, noteId, text, by });
  return { ok: true, sessionId, noteId };
}

export function tag(
  draft: Draft,
  entry: CommandEntry,
  { sessionId, add = [], remove = [] }: Extract<Command, { kind: "tag" }>,
): CommandReply {
  const { session } = draft;
  if (session === null || session.id !== sessionId) return notOpen(sessionId);
  if (!mayDirect(entry.author, session)) return notYours(session, draft.directory);
  const tags = [...new Set([...session.tags, ...add])].filter((one) => !remove.includes(one));
  if (tags.length > TAGS_MAX) {
    return refuse(
      409,
      "too-many-tags",
      `a session has at most ${TAGS_MAX} tags; these would be ${tags.length}`,
    );
  }
  if (tags.join("\n") !== session.tags.join("\n")) {
    draft.setTags(tags);
    draft.event("session.tagged", { by: authorName(entry), tags });
  }
  return { ok: true, sessionId };
}
