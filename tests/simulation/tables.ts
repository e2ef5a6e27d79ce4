/**
 * The database of the simulation: plain tables in memory. Each method of the stores over them is one statement, and
 * happens at one moment or not at all.
 *
 * @module
 */
import type { DeadLetterRow } from "../../core/ports/conversation_store.ts";
import type { ConversationRow, SeenRow } from "../../core/ports/conversation_store.ts";
import type { MessageRow } from "../../core/message.ts";
import type { OutboxRow, Published } from "../../core/outbox.ts";
import type { LogMark } from "../../core/ports/partition_log.ts";
import type { PartitionKind, PartitionRow } from "../../core/ports/partition_store.ts";
import type { PendingReport } from "../../core/ports/status_store.ts";
import type { OptOutChange } from "../../core/opt_out/opt_out.ts";
import type { SessionRow } from "../../core/session.ts";
import type { Counted, Run, Sample } from "../../bench/audit/run.ts";
import { storedMessage } from "../../bench/audit/run.ts";
import type { SimulatedLog } from "./log.ts";

/** What the simulated database gets wrong on purpose: the simulation must find it out. */
export type Mistake =
  /** Writes are taken whatever their epoch. */
  | "no-fencing"
  /** The cursor moves at once, and the effects some time later, if the database is there then. */
  | "cursor-apart"
  /** A take-over queues again what was under way, and forgets that it may have been sent. */
  | "forgets-uncertain"
  /** A write whose answer was lost counts once more when it is repeated. */
  | "counts-repeats"
  /** What a commit has to tell is not stored with it. */
  | "no-outbox"
  /** Nobody is asked who wants no more messages. */
  | "ignores-opt-outs"
  /** When the entry at a cursor was stored is not known any more. */
  | "forgets-stored";

/** A store whose methods are carried out at once. */
export type AtOnce<Store> = {
  readonly [Method in keyof Store]: Store[Method] extends
    (...parameters: infer Parameters) => Promise<infer Result> ? (...parameters: Parameters) => Result
    : never;
};

type CountName = Exclude<keyof Counted, "channelId" | "number">;

export class Tables {
  readonly partitions = new Map<string, PartitionRow>();
  readonly conversations = new Map<string, ConversationRow>();
  readonly sessions = new Map<string, SessionRow>();
  readonly messages = new Map<string, MessageRow>();
  readonly seen = new Map<string, SeenRow>();
  readonly outbox = new Map<string, OutboxRow>();
  readonly counted = new Map<string, Counted>();
  readonly pending = new Map<string, PendingReport>();
  readonly deadLetters = new Map<string, DeadLetterRow>();
  /** Those in force. */
  readonly optOuts = new Set<string>();
  /** All changes of them, with when each was committed. */
  readonly optOutChanges: (OptOutChange & { readonly committedMs: number })[] = [];
  readonly samples: Sample[] = [];
  readonly mistake: Mistake | null;
  readonly #now: () => number;
  /** How often each log was replaced by an older copy, and after which of these the cursor was set. */
  readonly #histories = new Map<string, { now: number; ofCursor: number }>();

  constructor(
    counts: Readonly<Record<"route" | "status" | "send", number>>,
    mistake: Mistake | null,
    now: () => number,
  ) {
    this.mistake = mistake;
    this.#now = now;
    for (const kind of ["route", "status", "send"] as const) {
      for (let partition = 0; partition < counts[kind]; partition++) {
        this.partitions.set(`${kind} ${partition}`, {
          kind,
          partition,
          epoch: 0,
          owner: null,
          cursor: 0,
          cursorStored: null,
          logCreated: null,
        });
        this.#histories.set(`${kind} ${partition}`, { now: 0, ofCursor: 0 });
      }
    }
  }

  partition(kind: PartitionKind, partition: number): PartitionRow {
    return this.partitions.get(`${kind} ${partition}`)!;
  }

  /** Changes a row, and keeps a look at it for the audit. */
  change(row: PartitionRow, change: Partial<PartitionRow>): void {
    const changed = { ...row, ...change };
    const name = `${row.kind} ${row.partition}`;
    this.partitions.set(name, changed);
    // To the audit a restored log is another one: the cursor may go back once for each restoration.
    const logCreated = `${changed.logCreated}, ${this.#histories.get(name)!.ofCursor}`;
    this.samples.push({ atMs: this.#now(), partitions: [{ ...changed, logCreated }] });
  }

  resetCursor(kind: PartitionKind, partition: number, { created, sequence, stored }: LogMark): void {
    const history = this.#histories.get(`${kind} ${partition}`)!;
    history.ofCursor = history.now;
    this.change(this.partition(kind, partition), {
      cursor: sequence,
      cursorStored: stored,
      logCreated: created,
    });
  }

  /** An older copy of the log was restored. */
  restored(kind: PartitionKind, partition: number): void {
    this.#histories.get(`${kind} ${partition}`)!.now++;
  }

  isAppliedToItsEnd(kind: PartitionKind, partition: number, log: SimulatedLog): boolean {
    const { cursor, cursorStored } = this.partition(kind, partition);
    return log.endsAt(cursor, cursorStored);
  }

  /** Whether the partition still has this epoch. */
  holds(kind: PartitionKind, partition: number, epoch: number): boolean {
    return this.mistake === "no-fencing"
      ? epoch >= 0
      : this.partitions.get(`${kind} ${partition}`)?.epoch === epoch;
  }

  changeOptOut(change: OptOutChange): void {
    const key = `${change.contact} ${change.number}`;
    if (change.active) this.optOuts.add(key);
    else this.optOuts.delete(key);
    this.optOutChanges.push({ ...change, committedMs: this.#now() });
  }

  addOutbox(row: OutboxRow): void {
    if (this.mistake !== "no-outbox") this.outbox.set(outboxKey(row), row);
  }

  forget(kind: PartitionKind, published: Published): void {
    for (const [key, row] of this.outbox) {
      const rows = published.get(row.partition);
      if (row.kind !== kind || rows === undefined) continue;
      if (rows.epoch !== undefined && !this.holds(kind, row.partition, rows.epoch)) continue;
      if (row.sequence >= rows.first && row.sequence <= rows.last) this.outbox.delete(key);
    }
  }

  count(channelId: string, number: string, counts: Partial<Record<CountName, number>>): void {
    const key = `${channelId} ${number}`;
    const row = this.counted.get(key) ?? {
      channelId,
      number,
      received: 0,
      segmentsIn: 0,
      sent: 0,
      segmentsOut: 0,
      delivered: 0,
      failed: 0,
    };
    const sum = (name: CountName) => row[name] + (counts[name] ?? 0);
    this.counted.set(key, {
      channelId,
      number,
      received: sum("received"),
      segmentsIn: sum("segmentsIn"),
      sent: sum("sent"),
      segmentsOut: sum("segmentsOut"),
      delivered: sum("delivered"),
      failed: sum("failed"),
    });
  }

  /** What the auditor reads. */
  stored(): Pick<Run, "messages" | "sessions" | "counted" | "samples"> {
    return {
      messages: [...this.messages.values()].map(storedMessage),
      sessions: [...this.sessions.values()].map(({ id, conversation_id, state }) => ({
        id,
        conversation: conversation_id,
        state,
      })),
      counted: [...this.counted.values()],
      samples: this.samples,
    };
  }
}

export function outboxKey(
  { kind, partition, sequence }: Pick<OutboxRow, "kind" | "partition" | "sequence">,
): string {
  return `${kind} ${partition} ${sequence}`;
}
