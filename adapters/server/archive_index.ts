/**
 * Keeps the archive's index up to date, in the background: it takes the twentieth part of one processor's time at most,
 * and goes on with what is left when there is less to do.
 *
 * @module
 */
import { checkSegment, indexNext } from "../postgres/archive_index.ts";
import { systemClock } from "../system/clock.ts";
import type { Parts } from "./parts.ts";
import { periodically } from "./periodically.ts";

const INDEX_MS = 1_000;
/** So often the newest segment is compared with its messages, and one of the others: all of them in turn. */
const CHECK_MS = 60_000;

/** Starts it. Returns the way to stop, which waits for what is under way. */
export function startArchiveIndex(
  { sql }: Pick<Parts, "sql">,
  onError: (name: string, error: Error) => void,
): () => Promise<void> {
  let checkedMs = Number.MAX_SAFE_INTEGER;
  const stops = [
    periodically({
      name: "index messages",
      intervalMs: INDEX_MS,
      run: async () => void await indexNext(sql, systemClock.now()),
      onError,
    }),
    periodically({
      name: "check the archive's index",
      intervalMs: CHECK_MS,
      run: async () => {
        const newest = await checkSegment(sql, Number.MAX_SAFE_INTEGER);
        if (newest === undefined) return;
        const older = await checkSegment(sql, Math.min(checkedMs, newest.fromMs));
        checkedMs = older?.fromMs ?? Number.MAX_SAFE_INTEGER;
      },
      onError,
    }),
  ];
  return async () => void await Promise.all(stops.map((stop) => stop()));
}
