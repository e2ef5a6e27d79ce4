/**
 * A session is handed over, with its history.
 *
 * @module
 */
import { nextChange } from "../../core/calendar/hours.ts";
import type { Destination } from "../../core/channel.ts";
import type { Directory } from "../../core/directory.ts";
import type { Command, CommandEntry, CommandReply } from "../../core/entry.ts";
import { destinationExists } from "../../core/rules/decide.ts";
import type { SessionRow } from "../../core/session.ts";
import type { Draft } from "../draft.ts";
import { holding } from "../new_rows.ts";
import { isServedAt } from "../opening.ts";
import { authorName, holderName, holderOf, mayDirect, notOpen, notYours, refuse } from "../refusal.ts";
import { greetAs } from "./accept.ts";

const MOVES = {
  extension: "transfer-extension",
  queue: "transfer-queue",
  platform: "transfer-platform",
} as const;

export function transfer(
  draft: Draft,
  entry: CommandEntry,
  { sessionId, to, note, anyway }: Extract<Command, { kind: "transfer" }>,
): CommandReply {
  const { session, directory } = draft;
  if (session === null || session.id !== sessionId) return notOpen(sessionId);
  if (!mayDirect(entry.author, session)) return notYours(session, directory);
  if (session.state === "wrap-up") {
    return refuse(409, "in-wrap-up", "the session was ended; what the contact writes now opens it again");
  }
  if (session.kind === "call" && to.kind !== "extension") {
    return refuse(409, "follows-its-call", "the session of a call goes to extensions only");
  }
  if (!destinationExists(to, directory)) {
    return refuse(422, "unknown-destination", `there is no ${to.kind} ${to.id}`);
  }
  const refusal = alreadyThere(session, to, directory) ??
    (entry.author.kind === "extension" && anyway !== true ? notServed(draft, to) : null);
  if (refusal !== null) return refusal;
  const by = authorName(entry);
  handOver(draft, session, to, by, note === undefined ? {} : { note });
  if (note !== undefined) draft.addNote(sessionId, note, by);
  return { ok: true, sessionId };
}

/** Moves the session to `to`; null: it waits for anyone. `told` is told with it. */
export function handOver(
  draft: Draft,
  session: SessionRow,
  to: Destination | null,
  by: string,
  told: { readonly note?: string; readonly reason?: string },
): void {
  const at = draft.atMs;
  const note = told.note ?? told.reason;
  draft.move(to === null ? MOVES.queue : MOVES[to.kind], {
    ...holding(to),
    ...(to?.kind === "extension" ? { queue_id: queueFor(session, to, draft.directory) } : {}),
    ...(to?.kind === "extension" ? { accepted_ms: session.accepted_ms ?? at } : {}),
    ...(to === null || to.kind === "queue" ? { waiting_since_ms: at } : {}),
    declined_by: [],
    sticky_extension_id: null,
  }, { by, ...(note === undefined ? {} : { note }) });
  draft.event("session.transferred", { by, from: holderOf(session), ...told }, session.platform_id);
  draft.tellWhoHasIt(by);
  // During a call they speak with each other.
  if (to?.kind === "extension" && session.kind === "chat") {
    greetAs(draft, to.id);
    draft.setUnanswered(at);
  }
}

/** A platform may be given its own session: its time begins anew. */
function alreadyThere(
  session: SessionRow,
  to: Destination,
  directory: Directory,
): CommandReply & { ok: false } | null {
  const holder = holderOf(session);
  if (to.kind === "platform") return null;
  if (holder?.kind !== to.kind || holder.id !== to.id) return null;
  return refuse(409, "already-there", `the session is with ${holderName(session, directory)} already`);
}

/** An agent is told before a contact is left where nobody comes. */
function notServed(draft: Draft, to: Destination): CommandReply & { ok: false } | null {
  const { directory, atMs } = draft;
  const queue = to.kind === "queue" ? directory.queues.get(to.id) : undefined;
  if (queue === undefined) return null;
  if (queue.members.size === 0) {
    return refuse(409, "queue-unserved", `the queue ${queue.name} has no members`);
  }
  if (isServedAt(queue, directory, atMs)) return null;
  const opens = nextChange(directory.calendars.get(queue.calendarId!)!, atMs);
  return refuse(
    409,
    "queue-closed",
    `the queue ${queue.name} is closed${opens === null ? "" : ` until ${new Date(opens).toISOString()}`}`,
  );
}

/** Handed over among the members of a queue, a session still counts for it. */
function queueFor(session: SessionRow, to: Destination, { queues }: Directory): string | null {
  // What holds during a call was decided by the queue that it came through.
  if (session.kind === "call") return session.queue_id;
  const queue = session.queue_id === null ? undefined : queues.get(session.queue_id);
  return queue?.members.has(to.id) === true ? queue.id : null;
}
