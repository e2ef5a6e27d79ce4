/**
 * What has to be done about media, kept in the database so that it survives any restart: fetching it, telling
 * of it, removing it.
 *
 * @module
 */
import type { MessageTold } from "../about_message.ts";

/** A file that came with a contact's message and is to be fetched: one row of `media`. */
export interface NewMediaRow {
  readonly id: string;
  readonly message_id: string;
  readonly channel_id: string;
  readonly source_url: string;
  /** As the provider calls it. */
  readonly declared_type: string | null;
  /** Types that it may be of; null: those that its channel takes. */
  readonly types: readonly string[] | null;
  readonly created_ms: number;
}

/** Something to be done about one file, claimed for this process. */
export type MediaJob =
  & {
    readonly id: string;
    readonly messageId: string | null;
    readonly channelId: string | null;
    readonly createdMs: number;
  }
  & (
    | {
      readonly kind: "fetch";
      readonly sourceUrl: string;
      readonly declaredType: string | null;
      /** Null: those that the channel takes. */
      readonly types: readonly string[] | null;
      /** Tries, this one included. */
      readonly attempts: number;
    }
    | { readonly kind: "tell"; readonly outcome: MediaOutcome }
    | { readonly kind: "remove" }
  );

/** What came of a fetch. */
export type MediaOutcome =
  | {
    readonly state: "ready";
    readonly contentType: string;
    readonly sizeBytes: number;
    readonly expiresMs: number;
  }
  | { readonly state: "failed"; readonly reason: string };

export interface MediaClaim {
  readonly nowMs: number;
  /** Who does not say by then that it is still at work has lost the job to whoever asks next. */
  readonly untilMs: number;
  readonly max: number;
  /** Jobs of this process that are under way. */
  readonly underWay: readonly string[];
  /** Channels that have enough fetches under way. */
  readonly busyChannels: readonly string[];
}

/** Jobs belong to the process that claimed them; what another has taken over since is not changed any more. */
export interface MediaQueue {
  claim(claim: MediaClaim): Promise<MediaJob[]>;
  /** Says that these are still at work. */
  renew(ids: readonly string[], untilMs: number): Promise<void>;
  /** Gives jobs back: whoever asks next may have them. */
  release(ids: readonly string[], nowMs: number): Promise<void>;
  /** Ends a fetch, and marks the message. False, and nothing changed, when the job is another's by now. */
  settle(id: string, outcome: MediaOutcome, nowMs: number): Promise<boolean>;
  /** Tries again later. */
  retry(id: string, dueMs: number, reason: string): Promise<void>;
  /** What came of it is told. */
  told(id: string): Promise<void>;
  removed(id: string): Promise<void>;
  /** The message that the file came with, as an event needs it. */
  subject(messageId: string): Promise<MessageTold | null>;
}
