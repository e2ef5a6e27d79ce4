/**
 * Who hears of which event. Pure.
 *
 * @module
 */
import type { ApiKey, Directory } from "../../../core/directory.ts";
import type { CloudEvent } from "../../../core/events.ts";

/** What members of a queue hear of all its sessions: enough to offer them, and to take the offer back. */
const QUEUE_TYPES: ReadonlySet<string> = new Set([
  "session.waiting",
  "session.offered",
  "session.declined",
  "session.assigned",
  "session.transferred",
  "session.closed",
]);

/**
 * Whether the bearer of `key` hears of `event`: administrators, supervisors and readers of everything, a platform
 * of what it holds, an agent of what its extension holds, of what waits in its queues, and of what was taken
 * from it.
 */
export function mayHear(
  key: Pick<ApiKey, "role" | "extensionId" | "platformId">,
  event: CloudEvent,
  directory: Directory,
): boolean {
  switch (key.role) {
    case "administrator":
    case "supervisor":
    case "read-only":
      return true;
    case "platform":
      return key.platformId !== null &&
        (event.platformid === key.platformId || wasTakenFrom("platform", key.platformId, event));
    case "agent":
      return key.extensionId !== null && agentHears(key.extensionId, event, directory);
  }
}

function agentHears(extensionId: string, event: CloudEvent, directory: Directory): boolean {
  if (event.extensionid === extensionId || wasTakenFrom("extension", extensionId, event)) return true;
  if (event.queueid === undefined) return false;
  const waits = event.extensionid === undefined;
  if (!QUEUE_TYPES.has(event.type) && !(event.type === "message.received" && waits)) return false;
  return directory.queues.get(event.queueid)?.members.has(extensionId) === true;
}

function wasTakenFrom(kind: string, id: string, event: CloudEvent): boolean {
  if (event.type !== "session.transferred" && event.type !== "session.declined") return false;
  const from = event.data.from as { kind?: unknown; id?: unknown } | null | undefined;
  return from?.kind === kind && from.id === id;
}
