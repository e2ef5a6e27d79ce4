/**
 * The whole EVENTS stream, read past the system.
 *
 * @module
 */
import { StreamReader } from "../../adapters/nats/stream_reader.ts";
import type { CloudEvent } from "../../core/events.ts";
import type { Inside } from "./inside.ts";
import { within } from "./until.ts";

export const MESSAGE_ID_PATTERN = /^msg_[0-9a-v]{26}$/;

/** Every event that is in the stream now, in its order; those for platforms' own subjects left out. */
export async function readEvents({ nats, jsm, names }: Inside): Promise<CloudEvent[]> {
  const { state } = await jsm.streams.info(names.eventStream, { subjects_filter: names.allEvents });
  const count = Object.values(state.subjects ?? {}).reduce((sum, n) => sum + n, 0);
  const events: CloudEvent[] = [];
  if (count === 0) return events;
  const decoder = new TextDecoder();
  const { promise, resolve } = Promise.withResolvers<void>();
  const reader = new StreamReader({
    connection: nats,
    jsm,
    stream: names.eventStream,
    filterSubject: names.allEvents,
    startSequence: 1,
    name: "audit",
    onMessage: ({ data }) => {
      events.push(JSON.parse(decoder.decode(data)));
      if (events.length >= count) resolve();
    },
  });
  await reader.start();
  try {
    await within("all events are read", promise, 60_000);
  } finally {
    reader.stop();
  }
  return events;
}
