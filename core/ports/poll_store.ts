/**
 * What is kept for providers that are polled.
 *
 * @module
 */
import type { NumberedSend, PollResult } from "./provider.ts";

export type SendNews = NonNullable<Extract<PollResult, { kind: "polled" }>["sends"]>;

/** What a poll ended with. */
export interface PollStep {
  readonly channelId: string;
  readonly poll: string;
  /** The mark that it began with, and the one that it ended with. */
  readonly before: string | null;
  readonly after: string | null;
  /** Numbers that were asked about, and what came of it. */
  readonly asked: readonly number[];
  readonly news: SendNews;
  readonly atMs: number;
}

export interface PollStore {
  mark(channelId: string, poll: string): Promise<string | null>;
  /** Stores it all. The mark stays as it is if somebody else has moved it meanwhile. */
  keep(step: PollStep): Promise<void>;
  /** Sends that have not ended and were not asked about since `askedBeforeMs`, those first that waited longest. */
  openSends(
    channelId: string,
    query: { readonly max: number; readonly noted: boolean; readonly askedBeforeMs: number },
  ): Promise<NumberedSend[]>;
  /** Forgets sends from before `sentBeforeMs` and those whose messages have ended or wait for another try. */
  forgetSends(channelId: string, sentBeforeMs: number): Promise<void>;
}

export interface SendNumbers {
  /** The channel's next number, kept for this try of the message. */
  next(send: {
    readonly channelId: string;
    readonly messageId: string;
    readonly to: string;
    readonly nowMs: number;
  }): Promise<number>;
}
