/**
 * What a commit still has to tell the world. It is stored in the same write as the commit (table `outbox`)
 * and removed once published, so that a crash in between repeats it rather than loses it: at least once,
 * with ids by which repeats are recognised.
 *
 * @module
 */
import type { DispatchEntry } from "./dispatch/entry.ts";
import type { CommandEntry, CommandReply } from "./entry.ts";
import type { PatchbayEvent } from "./events.ts";
import type { PartitionKind } from "./ports/partition_store.ts";

export interface ReplyOut {
  /** The subject that waits for it. */
  readonly to: string;
  readonly body: CommandReply;
}

/** The payload of one outbox row. */
export interface OutboxPayload {
  readonly events: readonly PatchbayEvent[];
  readonly replies?: readonly ReplyOut[];
  /** For the dispatcher's log. */
  readonly dispatch?: readonly DispatchEntry[];
  /** For the conversations' logs. */
  readonly commands?: readonly CommandEntry[];
}

/** One outbox row. */
export interface OutboxRow {
  readonly kind: PartitionKind;
  readonly partition: number;
  readonly sequence: number;
  readonly payload: OutboxPayload;
}

/**
 * What is published of one partition and may be forgotten: all its rows from `first` to `last`. Where they begin is
 * told, since the database's index keeps those that were forgotten before until it is vacuumed: whoever looks for
 * "all up to `last`" reads them all, each time.
 */
export interface PublishedRows {
  readonly first: number;
  readonly last: number;
  /**
   * Forgotten only while the partition has this epoch: a log that was replaced has the same sequences again, and a
   * statement that is late must not meet the next owner's rows. Not there where sequences never come again.
   */
  readonly epoch?: number;
}

/** By partition. */
export type Published = ReadonlyMap<number, PublishedRows>;

/** Adds rows to what is published. Of two epochs the newer one stays: the rows of the older are its owner's to tell. */
export function addPublished(
  published: Map<number, PublishedRows>,
  partition: number,
  rows: PublishedRows,
): void {
  const before = published.get(partition);
  if (before === undefined || (before.epoch ?? 0) < (rows.epoch ?? 0)) published.set(partition, rows);
  else if (before.epoch === rows.epoch) {
    published.set(partition, {
      ...rows,
      first: Math.min(rows.first, before.first),
      last: Math.max(rows.last, before.last),
    });
  }
}
