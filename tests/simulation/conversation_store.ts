/**
 * The simulated {@link ConversationStore}; the real one is `adapters/postgres/conversation_store.ts`.
 *
 * @module
 */
import type { CommandReply } from "../../core/entry.ts";
import {
  type ConversationCommit,
  type ConversationStore,
  type StoredConversation,
  UnstorableError,
} from "../../core/ports/conversation_store.ts";
import { type AtOnce, outboxKey, type Tables } from "./tables.ts";

export class SimulatedConversations implements AtOnce<ConversationStore> {
  constructor(
    private readonly tables: Tables,
    /** Does something some time later, if the database is there then. */
    private readonly later: (run: () => void) => void,
  ) {}

  load(conversations: readonly string[], keys: readonly string[]) {
    const stored = new Map<string, StoredConversation>();
    const seen = new Map<string, CommandReply | null>();
    for (const id of conversations) {
      const row = this.tables.conversations.get(id);
      if (row === undefined) continue;
      const { state, position, last_activity_ms, idle_ms } = row;
      stored.set(id, { state, position, lastActivityMs: last_activity_ms, idleMs: idle_ms });
    }
    for (const key of keys) {
      const row = this.tables.seen.get(key);
      if (row !== undefined) seen.set(key, row.result);
    }
    return { conversations: stored, seen };
  }

  commit(commit: ConversationCommit): "committed" | "fenced" {
    const { tables } = this;
    if (!commit.partitions.every(({ partition, epoch }) => tables.holds("route", partition, epoch))) {
      return "fenced";
    }
    this.#refuseRepeats(commit);
    for (const { partition, cursor, stored } of commit.partitions) {
      tables.change(tables.partition("route", partition), { cursor, cursorStored: stored });
    }
    if (tables.mistake === "cursor-apart") this.later(() => this.#write(commit));
    else this.#write(commit);
    return "committed";
  }

  rehearse(commit: ConversationCommit): boolean {
    try {
      this.#refuseRepeats(commit);
      return true;
    } catch {
      return false;
    }
  }

  /** The primary keys: what they refuse is refused whole. */
  #refuseRepeats({ messages, seen, outbox, deadLetters }: ConversationCommit): void {
    const { tables } = this;
    const repeated = messages.find(({ id }) => tables.messages.has(id))?.id ??
      seen.find(({ key }) => tables.seen.has(key))?.key ??
      outbox.map(outboxKey).find((key) => tables.outbox.has(key)) ??
      deadLetters.find(({ id }) => tables.deadLetters.has(id))?.id;
    if (repeated !== undefined) throw new UnstorableError(`there is a row ${repeated} already`);
  }

  #write(commit: ConversationCommit): void {
    const { tables } = this;
    for (const row of commit.conversations) {
      const state = row.state ?? tables.conversations.get(row.id)!.state;
      tables.conversations.set(row.id, { ...row, state });
    }
    for (const row of commit.sessions) tables.sessions.set(row.id, row);
    for (const row of commit.messages) tables.messages.set(row.id, row);
    for (const change of commit.optOuts) tables.changeOptOut(change);
    for (const row of commit.seen) tables.seen.set(row.key, row);
    tables.forget("route", commit.published);
    for (const row of commit.outbox) tables.addOutbox(row);
    for (const { channel_id, number, received, segments_in } of commit.statistics) {
      tables.count(channel_id, number, { received, segmentsIn: segments_in });
    }
    for (const row of commit.deadLetters) tables.deadLetters.set(row.id, row);
  }
}
