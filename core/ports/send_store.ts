/**
 * Where the send queue is kept: rows of `messages` that are `queued` or `sending`. The right to a send lane
 * comes from {@link PartitionStore} (kind `send`); every write carries the lane's epoch and changes nothing in
 * lanes whose epoch has moved on.
 *
 * @module
 */
import type { MessageError } from "../errors.ts";
import type { PatchbayEvent } from "../events.ts";
import type { Encoding, OutboundStatus, Priority, StatusStep } from "../message.ts";
import type { Published } from "../outbox.ts";
import type { QueuedMessage } from "../send/queued_message.ts";

/** The right to one lane. */
export interface LaneFence {
  readonly lane: number;
  readonly epoch: number;
}

export interface LoadRequest {
  readonly channelId: string;
  readonly priority: Priority;
  /** Messages at most. */
  readonly max: number;
}

export interface ClaimItem {
  readonly id: string;
  readonly lane: number;
  /** The channel that it is to be sent through: one that was given to another channel is not claimed. */
  readonly channel_id: string;
  /** Tries before this one. */
  readonly attempts: number;
  readonly conversation_id: string;
  /** Ours, by which it is to leave. */
  readonly number: string;
  /** Theirs. */
  readonly contact: string;
}

/** What a take-over does with the `sending` rows of a channel: their results were lost. */
export interface RecoveryPolicy {
  readonly channelId: string;
  readonly lane: number;
  /** `requeue`: the provider recognises a repeat. `resend`: the same, at the risk of a repeat. `hold`: wait for a report. */
  readonly policy: "requeue" | "resend" | "hold";
}

/** A queued message that another channel is to send. */
export interface MoveItem {
  readonly id: string;
  /** Of the channel that it leaves. */
  readonly lane: number;
  readonly channel_id: string;
  /** Tries so far. */
  readonly attempts: number;
  readonly to_channel_id: string;
  readonly number_id: string;
  readonly number: string;
  readonly encoding: Encoding;
  readonly segments: number;
  readonly step: StatusStep;
}

/** One result. Takes effect only on a row that is still unsent. */
export interface RecordRow {
  readonly id: string;
  readonly lane: number;
  /** Takes effect only while it is this channel's. */
  readonly channel_id: string;
  readonly status: OutboundStatus;
  /** The tries that the row has since it was claimed: a move back to `queued` and a hold need them to match. */
  readonly claimed: number;
  /** The tries that it is to have. */
  readonly attempts: number;
  readonly provider_id: string | null;
  readonly uncertain: boolean;
  readonly error: MessageError | null;
  readonly step: StatusStep;
  /** What subscribers are told, if the row changes. */
  readonly event: PatchbayEvent | null;
}

export interface RecordBatch {
  /** Each lane once; `sequence` names the outbox row that takes the events of its changes. */
  readonly lanes: readonly (LaneFence & { readonly sequence: number })[];
  readonly rows: readonly RecordRow[];
  /** Outbox rows that may be forgotten, by lane. */
  readonly published: Published;
  readonly nowMs: number;
}

/** Which lanes are still ours, and which messages a write changed. */
export interface WriteAnswer {
  readonly held: ReadonlySet<number>;
  readonly changed: ReadonlySet<string>;
}

export interface ClaimAnswer extends WriteAnswer {
  /** Not claimed: their contacts want no more messages. */
  readonly optedOut: ReadonlySet<string>;
}

export interface DayUsage {
  readonly messages: number;
  readonly segments: number;
}

export interface SendStore {
  /**
   * The oldest `queued` messages of each request that are due by `dueByMs`, without those in `known`. Order: by
   * channel, priority and id.
   */
  loadQueued(
    requests: readonly LoadRequest[],
    known: readonly string[],
    dueByMs: number,
  ): Promise<QueuedMessage[]>;
  /** The first `queued` messages of the conversations that have reached their start, by position, at most `max` each. */
  loadConversations(conversations: readonly string[], max: number, nowMs: number): Promise<QueuedMessage[]>;
  /** Since when the oldest `queued` message of the channels could have been sent, ms since 1970; null: none waits. */
  oldestDueMs(channels: readonly string[], nowMs: number): Promise<number | null>;
  /** Held messages of the channels that are due since before `dueBeforeMs`. */
  loadHeld(
    channels: readonly { readonly channelId: string; readonly dueBeforeMs: number }[],
    max: number,
  ): Promise<QueuedMessage[]>;
  /** What the channels sent since `sinceMs`, a full hour. */
  loadUsage(channels: readonly string[], sinceMs: number): Promise<ReadonlyMap<string, DayUsage>>;
  /** Settles `sending` rows that a former owner left; returns how many by policy. */
  recover(
    lanes: readonly LaneFence[],
    policies: readonly RecoveryPolicy[],
    nowMs: number,
  ): Promise<Readonly<Record<RecoveryPolicy["policy"], number>>>;
  /**
   * Moves `queued` messages to `sending` and counts the try, except where an earlier message of the conversation
   * is unfinished (a held one and one before its start do not count as such) or the tries differ, and except where
   * the contact has opted out: nobody calls a provider without a claim, so this is the one gate for all that sends.
   * Only confirmations of such a wish pass it. Safe to repeat: what the same call claimed before is claimed again
   * without counting twice.
   */
  claim(lanes: readonly LaneFence[], items: readonly ClaimItem[], nowMs: number): Promise<ClaimAnswer>;
  /**
   * Gives `queued` messages that no provider can have to other channels, forgetting their last error. Whoever owns
   * the other channel's lane finds them there. A repeat changes nothing.
   */
  move(lanes: readonly LaneFence[], items: readonly MoveItem[], nowMs: number): Promise<WriteAnswer>;
  /**
   * Writes results, their statistics (shard 1000 + lane) and one outbox row for each lane with changes. Safe to
   * repeat with the same sequences; `changed` then misses what the lost call changed, so read the outbox after it.
   */
  record(batch: RecordBatch): Promise<WriteAnswer>;
  /** Fills in provider ids of messages whose delivery report came before their result. */
  addProviderIds(ids: readonly { readonly id: string; readonly provider_id: string }[]): Promise<void>;
}
