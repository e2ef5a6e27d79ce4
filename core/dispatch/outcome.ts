/**
 * What comes of one entry of the dispatcher's log.
 *
 * @module
 */
import type { Command, CommandReply } from "../entry.ts";
import type { Presence } from "./entry.ts";

/** What the dispatcher asks of a session's conversation. Each names the version of the session that was judged. */
export type DispatchCommand = Extract<
  Command,
  { readonly kind: "offer" | "offer-expired" | "take-back" | "wrap-up-over" }
>;

/** A command on its way to a conversation. */
export interface DispatchOrder {
  /** Ours. */
  readonly number: string;
  readonly contact: string;
  /** The same when the same entry is applied again. */
  readonly key: string;
  readonly command: DispatchCommand;
}

/** Something that the contact of a session in the line is told. */
export interface DispatchNotice {
  /** Ours. */
  readonly number: string;
  readonly contact: string;
  /** The same when the same entry is applied again. */
  readonly key: string;
  readonly command: Extract<Command, { readonly kind: "say" }>;
}

/** An agent's claim, which goes on to the conversation and is answered by it. */
export interface DispatchClaim {
  readonly number: string;
  readonly contact: string;
  readonly key: string;
  readonly sessionId: string;
  readonly extensionId: string;
  readonly replyTo?: string;
}

export interface PresenceChange {
  readonly extensionId: string;
  readonly presence: Presence;
  readonly reason: string | null;
  readonly by: string;
}

export interface Outcome {
  readonly atMs: number;
  readonly orders: readonly DispatchOrder[];
  readonly notices: readonly DispatchNotice[];
  readonly claims: readonly DispatchClaim[];
  readonly replies: readonly { readonly to: string; readonly body: CommandReply }[];
  readonly presence: readonly PresenceChange[];
  /** Sessions that somebody took out of a queue. */
  readonly served: number;
}
