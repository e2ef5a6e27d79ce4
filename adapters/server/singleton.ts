/**
 * What exactly one router does, as a kind of partition of its own: whoever owns it does it.
 *
 * @module
 */
import type { PartitionHolder } from "../../core/membership/partition_keeper.ts";

const HAND_OFF_MS_MAX = 3_000;

/** `start` begins the work and gives the way to stop it, which waits for what is under way. */
export function createSingleton(start: () => () => Promise<void>): PartitionHolder {
  let stop: (() => Promise<void>) | null = null;
  return {
    kind: "singleton",
    partitions: 1,
    role: "router",
    handOffMsMax: HAND_OFF_MS_MAX,
    gain: () => {
      stop ??= start();
      return Promise.resolve();
    },
    lose: async () => {
      const stopping = stop;
      stop = null;
      await stopping?.();
    },
  };
}
