/**
 * Applies batches of the dispatcher's log: everything is in memory, and one statement writes what changed.
 *
 * @module
 */
import type { CommandEntry } from "../entry.ts";
import { type Undecodable, unpackEntries } from "../entry.ts";
import type { PatchbayEvent } from "../events.ts";
import { derivedId, type LogPosition } from "../ids.ts";
import type { OutboxRow, Published, ReplyOut } from "../outbox.ts";
import type { DeadLetterRow } from "../ports/conversation_store.ts";
import type { DirectorySource } from "../ports/directory.ts";
import type { DispatchStore } from "../ports/dispatch_store.ts";
import type { LogMessage } from "../ports/partition_log.ts";
import type { Applier, ApplyResult } from "../runtime/lane.ts";
import { storableText } from "../storable_text.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type DispatchEntry, DispatchEntrySchema } from "./entry.ts";
import type { Outcome } from "./outcome.ts";
import { presenceEvent } from "./presence_event.ts";
import { type DispatchSettings, dispatchSettings } from "./snapshot.ts";

export interface DispatchApplierOptions {
  readonly store: DispatchStore;
  readonly directory: DirectorySource;
  readonly epochOf: (partition: number) => number;
  /** Stream's name by partition, for the dead letters. */
  readonly streamOf: (partition: number) => string;
  readonly onDeadLetter: (letter: DeadLetterRow) => void;
  /** Told after each commit when something is due by itself, ms since 1970; null: nothing. */
  readonly onDue: (dueMs: number | null) => void;
  /** Told after each commit of what was decided. */
  readonly onDecided: (dispatcher: Dispatcher, decided: Pick<Told, "offers" | "claims" | "served">) => void;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

/** Keeps the ids of what the dispatcher causes apart from those of the conversations' partitions. */
const ID_PARTITION = 1_000;
const PAYLOAD_MAX = 100_000;

interface Told {
  readonly events: PatchbayEvent[];
  readonly replies: ReplyOut[];
  readonly commands: CommandEntry[];
  offers: number;
  claims: number;
  served: number;
}

interface Decided {
  readonly dispatcher: Dispatcher;
  readonly told: Told;
  readonly deadLetters: readonly DeadLetterRow[];
}

interface Placed {
  readonly entry: DispatchEntry | Undecodable;
  readonly position: LogPosition;
}

export class DispatchApplier implements Applier {
  readonly #options: DispatchApplierOptions;
  readonly #decoder = new TextDecoder();
  /** Null until the next batch loads it. */
  #dispatcher: Dispatcher | null = null;
  #settings: { readonly version: number; readonly settings: DispatchSettings } | null = null;

  constructor(options: DispatchApplierOptions) {
    this.#options = options;
  }

  async apply(batch: readonly LogMessage[], published: Published): Promise<ApplyResult> {
    const { store, epochOf, onDeadLetter, onDue, onDecided } = this.#options;
    const placed = batch.flatMap((message) => this.#place(message));
    const { partition, sequence: cursor, stored } = batch.at(-1)!;
    const { dispatcher, told, deadLetters } = await this.#decideAll(placed);
    const outbox: OutboxRow | null = told.events.length + told.replies.length + told.commands.length === 0
      ? null
      : {
        kind: "dispatch",
        partition,
        sequence: cursor,
        payload: { events: told.events, replies: told.replies, commands: told.commands },
      };
    const result = await store.commit({
      partition,
      epoch: epochOf(partition),
      cursor,
      stored,
      changes: dispatcher.takeChanges(),
      outbox,
      deadLetters,
      published,
    });
    if (result === "fenced") {
      // What is in memory is ahead of what is stored.
      this.forget();
      return { kind: "fenced" };
    }
    for (const letter of deadLetters) onDeadLetter(letter);
    onDue(dispatcher.nextDueMs);
    onDecided(dispatcher, told);
    return { kind: "committed", outbox: outbox === null ? [] : [outbox] };
  }

  forget(): void {
    this.#dispatcher = null;
  }

  /** An entry that cannot be applied is buried, and the others are decided as if it had not come. */
  async #decideAll(placed: readonly Placed[]): Promise<Decided> {
    const poisoned = new Map<Placed, string>();
    for (;;) {
      const settings = this.#currentSettings();
      const dispatcher = this.#dispatcher ??= new Dispatcher(await this.#options.store.load(), settings);
      dispatcher.configure(settings);
      const told: Told = { events: [], replies: [], commands: [], offers: 0, claims: 0, served: 0 };
      const deadLetters: DeadLetterRow[] = [];
      const failed = placed.find((one) => {
        const { entry, position } = one;
        if (entry.kind === "undecodable") {
          deadLetters.push(this.#bury(position, entry.kind, entry.reason, entry.payload));
          return false;
        }
        const poison = poisoned.get(one);
        if (poison !== undefined) {
          deadLetters.push(this.#bury(position, "poisoned", poison, JSON.stringify(entry)));
          return false;
        }
        try {
          tell(told, position, dispatcher.apply(entry));
          return false;
        } catch (error) {
          poisoned.set(one, (error as Error).message);
          return true;
        }
      });
      if (failed === undefined) return { dispatcher, told, deadLetters };
      // It may have changed half of what it meant to.
      this.forget();
    }
  }

  #currentSettings(): DispatchSettings {
    const directory = this.#options.directory.current();
    if (this.#settings?.version !== directory.version) {
      this.#settings = { version: directory.version, settings: dispatchSettings(directory) };
    }
    return this.#settings.settings;
  }

  #place({ partition, sequence, data }: LogMessage): Placed[] {
    return unpackEntries(this.#decoder.decode(data), DispatchEntrySchema)
      .map((entry, index) => ({ entry, position: { partition, sequence, entry: index } }));
  }

  #bury(
    position: LogPosition,
    kind: DeadLetterRow["kind"],
    reason: string,
    payload: string,
  ): DeadLetterRow {
    const at_ms = this.#options.now();
    return {
      id: derivedId("deadLetter", at_ms, { ...position, partition: ID_PARTITION }, 0),
      at_ms,
      kind,
      stream: this.#options.streamOf(position.partition),
      partition: position.partition,
      sequence: position.sequence,
      reason: storableText(reason),
      payload: storableText(payload, PAYLOAD_MAX),
    };
  }
}

function tell(
  told: Told,
  position: LogPosition,
  { atMs, orders, notices, claims, replies, presence, served }: Outcome,
): void {
  told.replies.push(...replies);
  for (const { number, contact, key, command } of [...orders, ...notices]) {
    if (command.kind === "offer") told.offers++;
    told.commands.push({
      kind: "command",
      key,
      at: atMs,
      number,
      contact,
      author: { kind: "system", id: "dispatcher" },
      command,
    });
  }
  told.served += served;
  told.claims += claims.length;
  for (const { number, contact, key, sessionId, extensionId, replyTo } of claims) {
    told.commands.push({
      kind: "command",
      key,
      at: atMs,
      number,
      contact,
      author: { kind: "extension", id: extensionId },
      ...(replyTo === undefined ? {} : { replyTo }),
      command: { kind: "accept", sessionId, extensionId },
    });
  }
  presence.forEach((change, index) => {
    told.events.push(
      presenceEvent(derivedId("event", atMs, { ...position, partition: ID_PARTITION }, index), atMs, change),
    );
  });
}
