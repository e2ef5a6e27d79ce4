/**
 * The dispatcher's offers, what becomes of them, and how a session is taken back.
 *
 * What the dispatcher asks for was decided by what it knew: each command names the version of the session that it is
 * about, and where the session has moved since, nothing happens. The fact that tells of that move is on its way.
 *
 * @module
 */
import type { Command, CommandEntry, CommandReply } from "../../core/entry.ts";
import type { SessionRow } from "../../core/session.ts";
import type { Draft } from "../draft.ts";
import { authorName, extensionName, holderOf, notOpen, refuse } from "../refusal.ts";
import { take } from "./accept.ts";

/** Of those who did not take it: more than one line ever passes by before it starts anew. */
const DECLINED_MAX = 50;

/** Offers a waiting session to one extension. */
export function offer(
  draft: Draft,
  entry: CommandEntry,
  { sessionId, extensionId, untilMs, version, autoAccept }: Extract<Command, { kind: "offer" }>,
): CommandReply {
  const session = seen(draft, sessionId, version);
  if (session?.state !== "waiting" || !draft.directory.extensions.has(extensionId)) return { ok: true };
  const by = authorName(entry);
  if (autoAccept === true) return take(draft, session, extensionId, by);
  draft.move("offer", { offered_to: extensionId, offer_until_ms: untilMs }, null);
  draft.event("session.offered", { by, offerUntil: new Date(untilMs).toISOString() });
  return { ok: true, sessionId };
}

export function decline(
  draft: Draft,
  { sessionId, extensionId }: Extract<Command, { kind: "decline" }>,
): CommandReply {
  const { session, directory } = draft;
  if (session === null || session.id !== sessionId) return notOpen(sessionId);
  if (session.state !== "offered" || session.offered_to !== extensionId) {
    return refuse(
      409,
      "not-offered",
      `the session is not offered to ${extensionName(extensionId, directory)}`,
    );
  }
  passOn(draft, session, "decline", `extension:${extensionId}`);
  return { ok: true, sessionId };
}

export function expireOffer(
  draft: Draft,
  entry: CommandEntry,
  { sessionId, version }: Extract<Command, { kind: "offer-expired" }>,
): CommandReply {
  const session = seen(draft, sessionId, version);
  if (session?.state === "offered") passOn(draft, session, "offer-expired", authorName(entry));
  return { ok: true };
}

/** From an agent who is gone or does not answer: back to its queue, at its old place, or closed. */
export function takeBack(
  draft: Draft,
  entry: CommandEntry,
  { sessionId, version, reason, close }: Extract<Command, { kind: "take-back" }>,
): CommandReply {
  const session = seen(draft, sessionId, version);
  const isTheirs = session?.state === "offered" || session?.state === "active";
  // Without a queue there is nowhere to take it.
  if (session === null || !isTheirs || (draft.queue === undefined && close !== true)) return { ok: true };
  const by = authorName(entry);
  if (close === true) {
    draft.close("close", "agent-gone", by);
    return { ok: true };
  }
  if (session.state === "offered") {
    passOn(draft, session, "take-back", by);
    return { ok: true };
  }
  const from = holderOf(session);
  draft.move("take-back", {
    extension_id: null,
    waiting_since_ms: session.waiting_since_ms ?? draft.atMs,
    sticky_extension_id: null,
    declined_by: declinedBy(session, session.extension_id),
  }, { by, note: reason });
  draft.event("session.transferred", { by, from, reason });
  draft.tellWhoHasIt(by);
  return { ok: true };
}

/** Back to waiting, at the place that it had, so that it is offered to others first. */
function passOn(
  draft: Draft,
  session: SessionRow,
  move: "decline" | "offer-expired" | "take-back",
  by: string,
): void {
  const extensionId = session.offered_to;
  draft.move(move, {
    declined_by: declinedBy(session, extensionId),
    // Whoever is to have it did not want it.
    sticky_extension_id: session.sticky_extension_id === extensionId ? null : session.sticky_extension_id,
  }, null);
  draft.event("session.declined", { by, from: { kind: "extension", id: extensionId }, reason: move });
  draft.tellWhoHasIt(by);
}

function declinedBy(session: SessionRow, extensionId: string | null): readonly string[] {
  if (extensionId === null) return session.declined_by;
  return [...session.declined_by.filter((id) => id !== extensionId), extensionId].slice(-DECLINED_MAX);
}

/** The session, if it is open and has not moved since. */
function seen({ session }: Draft, sessionId: string, version: number): SessionRow | null {
  return session?.id === sessionId && session.version === version ? session : null;
}
