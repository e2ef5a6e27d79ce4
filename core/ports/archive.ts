/**
 * Looking for past messages.
 *
 * @module
 */
import type { SearchTerm } from "../archive/words.ts";
import type { MessageRow } from "../message.ts";
import type { SessionRow, SessionState } from "../session.ts";
import type { Viewer } from "./runtime_queries.ts";

export interface ArchiveFilter {
  readonly terms?: readonly SearchTerm[];
  /** By the time that the message was accepted: from `fromMs` on, before `toMs`. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Ours. */
  readonly number?: string;
  readonly contact?: string;
  readonly channelId?: string;
  /** Of the session when the message was written. */
  readonly queueId?: string;
  readonly extensionId?: string;
  readonly direction?: MessageRow["direction"];
  /** Of the message's session now. */
  readonly state?: SessionState;
}

/** Platforms have no archive: what they get they are given. */
export type ArchiveViewer = Exclude<Viewer, { readonly kind: "platform" }>;

/** A message that fits, with the session it belongs to as it is now. */
export interface ArchiveHit {
  readonly message: MessageRow;
  readonly session: SessionRow | null;
}

/** Messages of this span were not looked at, as they are not indexed yet: ms since 1970. */
export interface UnsearchedSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ArchiveSearch {
  /**
   * What fits, newest first, in portions of up to `portion`; those before the message `before` if it is given. An empty
   * portion says nothing about the next. Ends when all was looked at.
   */
  search(
    filter: ArchiveFilter,
    viewer: ArchiveViewer,
    page: { readonly before?: string; readonly portion: number },
  ): AsyncGenerator<readonly ArchiveHit[]>;
  /** What such a search cannot find now. */
  unsearched(filter: ArchiveFilter, viewer: ArchiveViewer): Promise<UnsearchedSpan | null>;
}
