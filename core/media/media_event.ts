/**
 * The event that a file which came with a message is there, or will not be.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { PatchbayEvent } from "../events.ts";
import { ID_PREFIX, idTime } from "../ids.ts";
import { eventAbout, type MessageTold } from "../about_message.ts";
import type { MediaOutcome } from "../ports/media_queue.ts";

const TIME_CHARS = 10;
const HASH_CHARS = 16;

/** The same fact has the same id, however often it is told. `url`: a link that holds as long as the file. */
export function mediaEvent(
  id: string,
  outcome: MediaOutcome,
  message: MessageTold,
  atMs: number,
  url: string | null,
): PatchbayEvent {
  const event = {
    id: eventId(id, outcome.state),
    type: "message.media",
    atMs: Math.max(atMs, idTime(id)),
    direction: "inbound",
  } as const;
  return eventAbout(message, event, {
    media: {
      id,
      state: outcome.state,
      ...(outcome.state === "failed" ? { reason: outcome.reason } : {
        contentType: outcome.contentType,
        sizeBytes: outcome.sizeBytes,
        expiresAt: new Date(outcome.expiresMs).toISOString(),
        ...(url === null ? {} : { url }),
      }),
    },
  });
}

function eventId(mediaId: string, state: string): string {
  const digest = createHash("sha256").update(`${mediaId}|${state}`).digest();
  let body = mediaId.slice(mediaId.indexOf("_") + 1).slice(0, TIME_CHARS);
  for (let i = 0; i < HASH_CHARS; i++) body += (digest[i]! & 31).toString(32);
  return `${ID_PREFIX.event}_${body}`;
}
