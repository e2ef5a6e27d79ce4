/**
 * Who holds a session, who may direct it, and how a command is refused.
 *
 * @module
 */
import type { Destination } from "../core/channel.ts";
import type { CommandReply } from "../core/entry.ts";
import type { Author } from "../core/message.ts";
import type { SessionRow } from "../core/session.ts";

export type Holder = Destination;

/** A command's refusal: an HTTP status, a code for programs and a sentence for people. */
export function refuse(status: number, code: string, detail: string): CommandReply & { ok: false } {
  return { ok: false, status, code, detail };
}

/** Who holds a session: its extension, its platform, or the queue it waits in; null when nobody does. */
export function holderOf(session: SessionRow): Holder | null {
  if (session.extension_id !== null) return { kind: "extension", id: session.extension_id };
  if (session.platform_id !== null) return { kind: "platform", id: session.platform_id };
  if (session.queue_id !== null) return { kind: "queue", id: session.queue_id };
  return null;
}

/** Whether `author` may answer, transfer and close: its holder may, and so may whoever acts with a key over all. */
export function mayDirect(author: Author, session: SessionRow): boolean {
  if (author.kind === "extension") return session.extension_id === author.id;
  if (author.kind === "platform") return session.platform_id === author.id;
  return true;
}
