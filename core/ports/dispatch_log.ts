/**
 * The way into the dispatcher's log.
 *
 * @module
 */
import type { DispatchEntry } from "../dispatch/entry.ts";
import type { CommandReply } from "../entry.ts";

/** What somebody waits for the answer to. */
type Asking = Extract<DispatchEntry, { kind: "presence" | "claim" }>;
type Without<T, Key extends string> = T extends unknown ? Omit<T, Key> : never;

export interface DispatchLog {
  /** Resolves once the entries are fsynced, in this order. Rejects with `UnavailableError`. */
  tell(entries: readonly DispatchEntry[]): Promise<void>;
  /**
   * Puts the entry in the log and resolves with the answer to it, once its effect is committed. Rejects with
   * `UnavailableError` when none came in time; coming again with the same `key` is safe.
   */
  ask(entry: Without<Asking, "replyTo">): Promise<CommandReply>;
}
