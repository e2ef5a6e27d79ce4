/**
 * Who holds a session, who may direct it, and how a command is answered.
 *
 * @module
 */
import type { Destination } from "../core/channel.ts";
import type { Directory } from "../core/directory.ts";
import type { CommandEntry, CommandReply } from "../core/entry.ts";
import { assertNever } from "../core/errors.ts";
import type { Author, MessageRow } from "../core/message.ts";
import type { SessionRow } from "../core/session.ts";

export type Holder = Destination;

/** A command's refusal: an HTTP status, a code for programs and a sentence for people. */
export function refuse(status: number, code: string, detail: string): CommandReply & { ok: false } {
  return { ok: false, status, code, detail };
}

/** The answer to a command that became these messages. */
export function sent([message, ...others]: readonly [MessageRow, ...MessageRow[]]): CommandReply {
  return {
    ok: true,
    messageId: message.id,
    ...(others.length === 0 ? {} : { messageIds: [message, ...others].map(({ id }) => id) }),
    ...(message.session_id ? { sessionId: message.session_id } : {}),
  };
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

/** As events and histories name whoever gave a command, e.g. `extension:ext_…`. */
export function authorName({ author }: CommandEntry): string {
  return `${author.kind}:${author.id}`;
}

export function optedOut({ contact, number }: CommandEntry): CommandReply & { ok: false } {
  return refuse(
    409,
    "opted-out",
    `${contact} asked for no more messages from ${number}; START from the contact undoes it`,
  );
}

export function notOpen(sessionId: string): CommandReply & { ok: false } {
  return refuse(409, "session-not-open", `the session ${sessionId} is not open`);
}

export function notYours(session: SessionRow, directory: Directory): CommandReply & { ok: false } {
  return {
    ...refuse(403, "held-by-another", `the session is held by ${holderName(session, directory)}`),
    ...holderIn(session),
  };
}

/** The field of a refusal that names the extension which holds the session. */
export function holderIn(
  { extension_id }: SessionRow,
): { readonly holder?: { readonly extensionId: string } } {
  return extension_id === null ? {} : { holder: { extensionId: extension_id } };
}

export function extensionName(id: string, { extensions }: Directory): string {
  const extension = extensions.get(id);
  return extension === undefined ? `extension ${id}` : `extension ${extension.extension} (${extension.name})`;
}

export function holderName(session: SessionRow, directory: Directory): string {
  const holder = holderOf(session);
  if (holder === null) return "nobody";
  switch (holder.kind) {
    case "extension":
      return extensionName(holder.id, directory);
    case "queue":
      return `the queue ${directory.queues.get(holder.id)?.name ?? holder.id}`;
    case "platform":
      return `the platform ${directory.platforms.get(holder.id)?.name ?? holder.id}`;
    default:
      return assertNever(holder.kind);
  }
}
