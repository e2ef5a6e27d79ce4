/**
 * Looking at the partitions again and again while a run goes on.
 *
 * @module
 */
import type { Sql } from "../../adapters/postgres/database.ts";
import { pause } from "../simulator/clock.ts";
import { takeSample } from "./database.ts";
import type { Sample } from "./run.ts";

export interface Watch {
  /** Ends it and gives the samples, in the order in which they were taken. */
  stop(): Promise<readonly Sample[]>;
}

/**
 * Takes a sample every `everyMs` until it is stopped, and one more at the end. While the database is away there are
 * none.
 */
export function watchProgress(sql: Sql, everyMs = 200): Watch {
  const samples: Sample[] = [];
  const stopping = new AbortController();
  const look = async () => {
    const sample = await takeSample(sql).catch(() => null);
    // Only what changed is kept: a long run would fill the memory otherwise.
    if (sample !== null && !isSame(sample, samples.at(-1))) samples.push(sample);
  };
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await look();
      await pause(everyMs, stopping.signal);
    }
    await look();
  })();
  return {
    stop: async () => {
      stopping.abort();
      await watching;
      return samples;
    },
  };
}

function isSame(a: Sample, b: Sample | undefined): boolean {
  return b !== undefined && JSON.stringify(a.partitions) === JSON.stringify(b.partitions);
}
