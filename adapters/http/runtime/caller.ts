/**
 * What a key makes of its bearer: in whose name commands go out, and which sessions are to be seen.
 *
 * @module
 */
import type { ApiKey, Directory } from "../../../core/directory.ts";
import type { Author, MessageRow } from "../../../core/message.ts";
import type { Viewer } from "../../../core/ports/runtime_queries.ts";
import type { SessionRow } from "../../../core/session.ts";

/** In whose name the key's commands stand. */
export function authorOf(key: ApiKey): Author {
  if (key.role === "agent" && key.extensionId !== null) return { kind: "extension", id: key.extensionId };
  if (key.role === "platform" && key.platformId !== null) return { kind: "platform", id: key.platformId };
  return { kind: "key", id: key.id };
}

export function viewerOf(key: ApiKey, directory: Directory): Viewer {
  switch (key.role) {
    case "administrator":
    case "supervisor":
    case "read-only":
      return { kind: "all" };
    case "platform":
      return { kind: "platform", platformId: key.platformId ?? "" };
    case "agent": {
      const extensionId = key.extensionId ?? "";
      const queueIds = [...directory.queues.values()].filter((queue) => queue.members.has(extensionId))
        .map((queue) => queue.id);
      return { kind: "extension", extensionId, queueIds };
    }
  }
}

/** Whether a session is among those that a list for `viewer` shows. */
export function maySee(viewer: Viewer, session: SessionRow): boolean {
  switch (viewer.kind) {
    case "all":
      return true;
    case "platform":
      return session.platform_id === viewer.platformId;
    case "extension":
      return session.extension_id === viewer.extensionId || session.offered_to === viewer.extensionId ||
        (isInLine(session) && session.queue_id !== null && viewer.queueIds.includes(session.queue_id));
  }
}

/** Nobody has taken it yet. */
function isInLine({ state }: SessionRow): boolean {
  return state === "waiting" || state === "offered";
}

/**
 * Whether a command about the session may go to its owner, who has the last word. Wider than {@link maySee}:
 * whoever comes second must hear who was first, and a command that is repeated must get its answer again
 * although it has moved the session out of sight.
 */
export function mayAddress(viewer: Viewer, session: SessionRow): boolean {
  if (maySee(viewer, session)) return true;
  const took = (by: string) => session.history.some((step) => step.by === by);
  switch (viewer.kind) {
    case "all":
      return true;
    case "platform":
      return took(`platform:${viewer.platformId}`);
    case "extension":
      return (session.queue_id !== null && viewer.queueIds.includes(session.queue_id)) ||
        took(`extension:${viewer.extensionId}`);
  }
}

/** Whether a message is the viewer's by itself; else its session decides. */
export function mayRead(viewer: Viewer, message: MessageRow): boolean {
  switch (viewer.kind) {
    case "all":
      return true;
    case "platform":
      return message.platform_id === viewer.platformId || isAuthor(message, "platform", viewer.platformId);
    case "extension":
      return message.extension_id === viewer.extensionId ||
        isAuthor(message, "extension", viewer.extensionId);
  }
}

function isAuthor(message: MessageRow, kind: Author["kind"], id: string): boolean {
  return message.author?.kind === kind && message.author.id === id;
}
