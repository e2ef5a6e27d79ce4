/**
 * What has to be done now and then, by any one process.
 *
 * @module
 */
import type { ConfigurationStore } from "../../core/ports/configuration.ts";
import { forgetExpired } from "../postgres/expiry.ts";
import { ensureMessagePartitions } from "../postgres/message_partitions.ts";
import { systemClock } from "../system/clock.ts";
import type { Parts } from "./parts.ts";
import { periodically } from "./periodically.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Starts it. Returns the way to stop, which waits for what is under way. */
export function startMaintenance(
  parts: Parts,
  configuration: ConfigurationStore,
  onError: (name: string, error: Error) => void,
): () => Promise<void> {
  const stops = [
    periodically({
      name: "forget what is expired",
      intervalMs: HOUR_MS,
      run: async () => {
        await forgetExpired(parts.sql, systemClock.now());
        await configuration.forgetAnswers(new Date(systemClock.now() - DAY_MS));
      },
      onError,
    }),
    periodically({
      name: "make the coming months' partitions",
      intervalMs: 6 * HOUR_MS,
      run: async () => void await ensureMessagePartitions(parts.db, systemClock.now()),
      onError,
    }),
  ];
  return async () => void await Promise.all(stops.map((stop) => stop()));
}
