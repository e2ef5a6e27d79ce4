/**
 * A session is handed over, with its history.
 *
 * @module
 */
import type { Destination } from "../../core/channel.ts";
import type { Directory } from "../../core/directory.ts";
import type { Command, CommandEntry, CommandReply } from "../../core/entry.ts";
import { destinationExists } from "../../core/rules/decide.ts";
import type { SessionRow } from "../../core/session.ts";
import { type Draft, holding } from "../draft.ts";
import { authorName, holderOf, mayDirect, notOpen, notYours, refuse } from "../refusal.ts";

const MOVES = {
  extension: "transfer-extension",
  queue: "transfer-queue",
  platform: "transfer-platform",
} as const;

export function transfer(
  draft: Draft,
  entry: CommandEntry,
  { sessionId, to, note }: Extract<Command, { kind: "transfer" }>,
): CommandReply {
  const { session, directory } = draft;
  if (session === null || session.id !== sessionId) return notOpen(sessionId);
  if (!mayDirect(entry.author, session)) return notYours(session, directory);
  if (session.state === "wrap-up") {
    return refuse(409, "in-wrap-up", "the session was ended; what the contact writes now opens it again");
  }
  if (!destinationExists(to, directory)) {
    return refuse(422, "unknown-destination", `there is no ${to.kind} ${to.id}`);
  }
  handOver(draft, session, to, authorName(entry), note === undefined ? {} : { note });
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
}

/** Handed over among the members of a queue, a session still counts for it. */
function queueFor(session: SessionRow, to: Destination, { queues }: Directory): string | null {
  const queue = session.queue_id === null ? undefined : queues.get(session.queue_id);
  return queue?.members.has(to.id) === true ? queue.id : null;
}
