/**
 * Keeps the archive's index up to date, in the background and in small steps: each of its two works takes the twentieth
 * part of one processor's time at most, and goes on with what is left when there is less to do.
 *
 * @module
 */
import { checkNext } from "../postgres/archive_check.ts";
import { indexNext } from "../postgres/archive_index.ts";
import type { Sql } from "../postgres/database.ts";
import { systemClock } from "../system/clock.ts";
import type { Parts } from "./parts.ts";
import { periodically } from "./periodically.ts";

const INDEX_MS = 1_000;
/** So long after a round of comparing the next one begins. */
const CHECK_MS = 60_000;

/** Starts it. Returns the way to stop, which waits for what is under way. */
export function startArchiveIndex(
  { sql }: Pick<Parts, "sql">,
  onError: (name: string, error: Error) => void,
): () => Promise<void> {
  const stops = [
    periodically({
      name: "index messages",
      intervalMs: INDEX_MS,
      run: () => indexNext(sql, systemClock.now()),
      onError,
    }),
    periodically({
      name: "check the archive's index",
      intervalMs: CHECK_MS,
      run: checkRounds(sql),
      onError,
    }),
  ];
  return async () => void await Promise.all(stops.map((stop) => stop()));
}

/**
 * Rounds of comparing: the newest segment, where most late messages belong, and one of the others, all of them in turn.
 * Each call takes the next step and resolves with whether the round goes on.
 */
function checkRounds(sql: Sql): () => Promise<boolean> {
  const newest = Number.MAX_SAFE_INTEGER;
  let older = newest;
  let place = { beforeMs: newest, fromMs: 0 };
  return async () => {
    const { beforeMs } = place;
    const step = await checkNext(sql, place);
    if (step !== undefined && step.nextMs !== null) {
      place = { beforeMs, fromMs: step.nextMs };
      return true;
    }
    if (beforeMs === newest && step !== undefined) {
      place = { beforeMs: Math.min(older, step.segmentMs), fromMs: 0 };
      return true;
    }
    older = step?.segmentMs ?? newest;
    place = { beforeMs: newest, fromMs: 0 };
    return false;
  };
}
