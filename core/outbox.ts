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
}

/** By partition. */
export type Published = ReadonlyMap<number, PublishedRows>;

/** Adds rows to what is published. */
export function addPublished(
  published: Map<number, PublishedRows>,
  partition: number,
  { first, last }: PublishedRows,
): void {
  const before = published.get(partition);
  published.set(partition, {
    first: Math.min(first, before?.first ?? first),
    last: Math.max(last, before?.last ?? last),
  });
}
