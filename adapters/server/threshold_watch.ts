/**
 * Watches queues' thresholds and tells when one is crossed, in either direction.
 *
 * @module
 */
import { type JudgedThreshold, judgeThresholds } from "../../core/dispatch/thresholds.ts";
import { NO_CHANNEL, type PatchbayEvent } from "../../core/events.ts";
import { newId } from "../../core/ids.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import { serviceFigures } from "../postgres/service_figures.ts";
import type { Sql } from "../postgres/database.ts";
import { fillRandom } from "../system/random.ts";

export interface ThresholdWatchOptions {
  readonly sql: Sql;
  readonly directory: DirectorySource;
  readonly publish: (events: readonly PatchbayEvent[]) => Promise<void>;
  readonly now: () => number;
}

export class ThresholdWatch {
  readonly #options: ThresholdWatchOptions;
  /** `<queue> <threshold>` of those that are crossed. */
  #crossed = new Set<string>();

  constructor(options: ThresholdWatchOptions) {
    this.#options = options;
  }

  /** What was crossed before is told once more by whoever begins to watch. */
  begin(): void {
    this.#crossed = new Set();
  }

  /** Looks at every queue that has thresholds, and tells of what changed. */
  async look(): Promise<void> {
    const { sql, directory, publish, now } = this.#options;
    const crossed = new Set<string>();
    const events: PatchbayEvent[] = [];
    for (const { id, thresholds } of directory.current().queues.values()) {
      if (Object.keys(thresholds).length === 0) continue;
      for (const judged of judgeThresholds(thresholds, await serviceFigures(sql, id, thresholds, now()))) {
        const key = `${id} ${judged.threshold}`;
        if (judged.crossed) crossed.add(key);
        if (judged.crossed !== this.#crossed.has(key)) events.push(thresholdEvent(id, judged, now()));
      }
    }
    if (events.length > 0) await publish(events);
    this.#crossed = crossed;
  }
}

function thresholdEvent(queueId: string, judged: JudgedThreshold, atMs: number): PatchbayEvent {
  return {
    id: newId("event", atMs, fillRandom),
    type: "queue.threshold",
    atMs,
    channelId: NO_CHANNEL,
    number: NO_CHANNEL,
    audience: { queueId },
    data: { queueId, ...judged },
  };
}
