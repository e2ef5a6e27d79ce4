/**
 * The way into the partitions' logs, as the HTTP side sees it.
 *
 * @module
 */
import type { CommandEntry, CommandReply, ConversationEntry, ReportEntry } from "../entry.ts";

/** Thrown when an append cannot be taken: nothing was stored, the caller should come again. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
  /** When to come again, in seconds: the value of `Retry-After`. */
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds = 1) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface Ingress {
  /** Null while appends are taken; else why not. Asked before a request's body is read. */
  refusal(): UnavailableError | null;
  /** Resolves once the entry is fsynced in its partition's stream. Rejects with {@link UnavailableError}. */
  append(entry: ConversationEntry): Promise<void>;
  /** The same for a delivery report. */
  appendReport(entry: ReportEntry): Promise<void>;
  /**
   * Puts a command in its conversation's log and resolves with the owner's answer, once the effect is committed.
   * Rejects with {@link UnavailableError} when no answer came in time: the command may still take effect, and
   * coming again with the same `key` is safe.
   */
  execute(command: Omit<CommandEntry, "kind" | "replyTo">): Promise<CommandReply>;
}
