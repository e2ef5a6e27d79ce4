/**
 * Applies batches of conversations' inputs: loads with one query, decides in memory, writes with one statement.
 *
 * @module
 */
import type { DispatchEntry } from "../core/dispatch/entry.ts";
import type { DetectLanguage } from "../core/language.ts";
import type { ContactSource } from "../core/ports/contacts.ts";
import type { FreshDirectory } from "../core/ports/directory.ts";
import type { OwnNumber } from "../core/channel.ts";
import {
  type CommandReply,
  type ConversationEntry,
  ConversationEntrySchema,
  type Undecodable,
  unpack,
} from "../core/entry.ts";
import type { PatchbayEvent } from "../core/events.ts";
import { derivedId, type LogPosition } from "../core/ids.ts";
import type { MessageRow } from "../core/message.ts";
import type { OptOutChange } from "../core/opt_out/opt_out.ts";
import type { Published, ReplyOut } from "../core/outbox.ts";
import {
  type ConversationCommit,
  type ConversationRow,
  type ConversationStore,
  type DeadLetterRow,
  type SeenRow,
  type StatisticsRow,
  UnstorableError,
} from "../core/ports/conversation_store.ts";
import type { NewMediaRow } from "../core/ports/media_queue.ts";
import type { LogMessage } from "../core/ports/partition_log.ts";
import type { Applier, ApplyResult } from "../core/runtime/lane.ts";
import { asksForContact, asksForLanguage } from "../core/rules/needs.ts";
import type { SessionRow } from "../core/session.ts";
import type { SessionNote } from "../core/session_notes.ts";
import { storableText } from "../core/storable_text.ts";
import {
  conversationOf,
  type ConversationState,
  decide,
  type Decision,
  type KnownOfContacts,
  NEW_CONVERSATION,
  NOTHING_KNOWN,
  UnappliableError,
} from "./conversation.ts";
import { nextDueMs } from "./fragments.ts";

const HOUR_MS = 3_600_000;
/** Conversations kept in memory per lane; one at rest longer is loaded again. */
const CACHE_SIZE = 20_000;

export interface ConversationApplierOptions {
  readonly store: ConversationStore;
  readonly directory: FreshDirectory;
  readonly epochOf: (partition: number) => number;
  /** Tells this lane's counters from those of all other lanes at work, in other processes too. */
  readonly shard: () => number;
  /** Stream's name by partition, for the dead letters. */
  readonly streamOf: (partition: number) => string;
  /** Told of every new outbound message once it is committed: the fast path to the send workers. */
  readonly onQueued: (messages: readonly MessageRow[]) => void;
  /** Told of what was counted once it is committed. */
  readonly onCounted?: (counts: BatchCounts) => void;
  /** Told once files that are to be fetched are committed. */
  readonly onMedia?: () => void;
  /** Whether there is a dispatcher; without one, what it would be told is not stored either. */
  readonly hasDispatcher: boolean;
  readonly onDeadLetter: (letter: DeadLetterRow) => void;
  /** Asked only where a routing rule needs it. */
  readonly contacts: ContactSource;
  /** The same. */
  readonly languageDetector: () => Promise<DetectLanguage>;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

/** What a batch adds to the process's counters. */
export interface BatchCounts {
  /** Messages written, by what their number is for. */
  readonly messages: readonly {
    readonly purpose: OwnNumber["purpose"];
    readonly direction: MessageRow["direction"];
    readonly count: number;
  }[];
  /** Calls that began, and that ended, to be texted in. */
  readonly calls: { readonly opened: number; readonly ended: number };
}

/** An entry with its place in the log. */
interface Placed {
  readonly entry: ConversationEntry | Undecodable;
  readonly position: LogPosition;
  readonly conversation: string;
}

export class ConversationApplier implements Applier {
  readonly #options: ConversationApplierOptions;
  /** Committed states, least recently used first. */
  readonly #cache = new Map<string, ConversationState>();
  readonly #decoder = new TextDecoder();

  constructor(options: ConversationApplierOptions) {
    this.#options = options;
  }

  async apply(batch: readonly LogMessage[], published: Published): Promise<ApplyResult> {
    const packs = batch.map((message) => this.#place(message));
    const { directory } = this.#options;
    // Another process took them knowing more: a number that was made a moment ago must not be unknown here.
    if (packs.some(({ configuration }) => configuration > directory.current().version)) {
      await directory.refresh();
    }
    const entries = packs.flatMap(({ placed }) => placed);
    const loaded = await this.#load(entries);
    const poisoned = new Map<Placed, string>();
    for (;;) {
      const draft = this.#decideAll(batch, entries, loaded, poisoned, published);
      try {
        if (await this.#options.store.commit(draft.commit) === "fenced") return { kind: "fenced" };
      } catch (error) {
        if (!(error instanceof UnstorableError) || poisoned.size > 0) throw error;
        await this.#findPoison(batch, entries, loaded, poisoned);
        if (poisoned.size === 0) throw error;
        continue;
      }
      for (const [id, state] of draft.states) this.#remember(id, state);
      if (draft.queued.length > 0) this.#options.onQueued(draft.queued);
      this.#options.onCounted?.(draft.counts);
      if (draft.commit.media.length > 0) this.#options.onMedia?.();
      for (const letter of draft.commit.deadLetters) this.#options.onDeadLetter(letter);
      return { kind: "committed", outbox: draft.commit.outbox };
    }
  }

  forget(): void {
    this.#cache.clear();
  }

  #place({ partition, sequence, data }: LogMessage): { placed: Placed[]; configuration: number } {
    const { entries, configuration } = unpack(this.#decoder.decode(data), ConversationEntrySchema);
    const placed = entries.map((entry, index) => ({
      entry,
      position: { partition, sequence, entry: index },
      conversation: entry.kind === "undecodable" ? "" : conversationOf(entry),
    }));
    return { placed, configuration };
  }

  async #load(entries: readonly Placed[]): Promise<Loaded> {
    const conversations = new Set<string>();
    const keys = new Set<string>();
    for (const { entry, conversation } of entries) {
      if (entry.kind === "undecodable") continue;
      keys.add(entry.key);
      if (!this.#cache.has(conversation)) conversations.add(conversation);
    }
    const [{ states, seen }, known] = await Promise.all([
      this.#options.store.load([...conversations], [...keys]),
      this.#askAbout(entries),
    ]);
    return { states: states as ReadonlyMap<string, ConversationState>, seen, known };
  }

  /** What rules ask for of those who wrote. */
  async #askAbout(entries: readonly Placed[]): Promise<KnownOfContacts> {
    const { directory, contacts, languageDetector } = this.#options;
    const { rules } = directory.current();
    if (!asksForContact(rules)) return NOTHING_KNOWN;
    const writers = entries.flatMap(({ entry }) => entry.kind === "inbound" ? entry.contact : []);
    const [notes, detectLanguage] = await Promise.all([
      writers.length === 0 ? new Map() : contacts.ofContacts(writers),
      asksForLanguage(rules) ? languageDetector() : null,
    ]);
    return { notes, detectLanguage };
  }

  #decideAll(
    batch: readonly LogMessage[],
    entries: readonly Placed[],
    loaded: Loaded,
    poisoned: ReadonlyMap<Placed, string>,
    published: Published,
  ): BatchDraft {
    const draft = new BatchDraft(this.#options, batch, published);
    const directory = this.#options.directory.current();
    for (const placed of entries) {
      const { entry, position, conversation } = placed;
      if (entry.kind === "undecodable") {
        draft.bury(position, "undecodable", entry.reason, entry.payload);
        continue;
      }
      const poison = poisoned.get(placed);
      if (poison !== undefined) {
        draft.bury(position, "poisoned", poison, JSON.stringify(entry));
        continue;
      }
      // A contact's message has the result null: "not seen" is undefined alone.
      const inBatch = draft.resultOf(entry.key);
      const earlier = inBatch === undefined ? loaded.seen.get(entry.key) : inBatch;
      if (earlier !== undefined) {
        draft.repeat(position, entry, earlier);
        continue;
      }
      const state = draft.states.get(conversation) ?? this.#cache.get(conversation) ??
        loaded.states.get(conversation) ?? NEW_CONVERSATION;
      try {
        draft.add(
          position,
          conversation,
          entry,
          state,
          decide(state, entry, { directory, position, known: loaded.known }),
        );
      } catch (error) {
        const kind = error instanceof UnappliableError ? "unappliable" : "poisoned";
        draft.bury(position, kind, (error as Error).message, JSON.stringify(entry));
      }
    }
    return draft;
  }

  /** Finds the entries whose effects the database refuses, each tried alone. */
  async #findPoison(
    batch: readonly LogMessage[],
    entries: readonly Placed[],
    loaded: Loaded,
    poisoned: Map<Placed, string>,
  ): Promise<void> {
    for (const placed of entries) {
      if (placed.entry.kind === "undecodable") continue;
      const own = batch.filter(({ partition, sequence }) =>
        partition === placed.position.partition && sequence === placed.position.sequence
      );
      const draft = this.#decideAll(own, [placed], loaded, new Map(), new Map());
      if (!await this.#options.store.rehearse(draft.commit)) {
        poisoned.set(placed, "the database refused what it causes");
      }
    }
  }

  #remember(id: string, state: ConversationState): void {
    this.#cache.delete(id);
    this.#cache.set(id, state);
    if (this.#cache.size > CACHE_SIZE) {
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest);
        break;
      }
    }
  }
}

interface Loaded {
  readonly states: ReadonlyMap<string, ConversationState>;
  readonly seen: ReadonlyMap<string, CommandReply | null>;
  readonly known: KnownOfContacts;
}

/** What a partition's part of a batch has to tell. */
interface Told {
  readonly events: PatchbayEvent[];
  readonly replies: ReplyOut[];
  dispatch?: DispatchEntry[];
}

/** What a batch does, while it is being decided. */
class BatchDraft {
  readonly states = new Map<string, ConversationState>();
  readonly queued: MessageRow[] = [];
  readonly #options: ConversationApplierOptions;
  /** The last message of each partition. */
  readonly #last = new Map<number, LogMessage>();
  readonly #published: Published;
  readonly #conversations = new Map<string, ConversationRow>();
  readonly #sessions = new Map<string, SessionRow>();
  readonly #messages: MessageRow[] = [];
  readonly #optOuts: OptOutChange[] = [];
  readonly #media: NewMediaRow[] = [];
  readonly #notes: SessionNote[] = [];
  readonly #seen = new Map<string, SeenRow>();
  readonly #deadLetters: DeadLetterRow[] = [];
  readonly #written = new Map<string, BatchCounts["messages"][number]>();
  readonly #calls = { opened: 0, ended: 0 };
  readonly #statistics = new Map<string, StatisticsRow>();
  readonly #outbox = new Map<number, Told>();

  constructor(
    options: ConversationApplierOptions,
    batch: readonly LogMessage[],
    published: Published,
  ) {
    this.#options = options;
    this.#published = published;
    for (const message of batch) this.#last.set(message.partition, message);
  }

  /** The result of an entry of this batch with that key. */
  resultOf(key: string): CommandReply | null | undefined {
    return this.#seen.get(key)?.result;
  }

  add(
    position: LogPosition,
    conversation: string,
    entry: ConversationEntry,
    before: ConversationState,
    decision: Decision,
  ): void {
    const { partition } = position;
    if (entry.kind === "command" && entry.replyTo !== undefined && decision.reply !== null) {
      this.#out(partition).replies.push({ to: entry.replyTo, body: decision.reply });
    }
    // A refusal changed nothing and may be tried again under the same key.
    if (decision.reply?.ok === false) return;
    this.#seen.set(entry.key, { key: entry.key, at_ms: entry.at, result: decision.reply });
    const gathered = decision.state.gatherings !== before.gatherings;
    const isQuiet = decision.messages.length === 0 && decision.sessions.length === 0;
    const isHoldSame = decision.state.hold === before.hold;
    this.#notes.push(...decision.notes);
    if (decision.events.length > 0) this.#out(partition).events.push(...decision.events);
    if (isQuiet && decision.optOuts.length === 0 && !gathered && isHoldSame) return;
    this.states.set(conversation, decision.state);
    this.#conversations.set(conversation, {
      id: conversation,
      partition,
      number: entry.number,
      contact: entry.contact,
      state: decision.state,
      session_id: decision.state.session?.id ?? null,
      last_activity_ms: entry.at,
      idle_ms: decision.state.session?.idle_ms ?? null,
      due_ms: nextDueMs(decision.state.gatherings),
      held_until_ms: decision.state.hold?.untilMs ?? null,
    });
    for (const session of decision.sessions) {
      this.#sessions.set(session.id, session);
      if (session.kind !== "call") continue;
      if (session.version === 1) this.#calls.opened++;
      if (session.state === "closed") this.#calls.ended++;
    }
    for (const message of decision.messages) {
      this.#note(message);
      this.#messages.push(message);
      if (message.direction === "outbound") this.queued.push(message);
      else this.#count(message);
    }
    this.#optOuts.push(...decision.optOuts);
    this.#media.push(...decision.media);
    if (decision.dispatch.length > 0 && this.#options.hasDispatcher) {
      (this.#out(partition).dispatch ??= []).push(...decision.dispatch);
    }
  }

  /** A repeat changes nothing; whoever asked is told what was answered the first time. */
  repeat(position: LogPosition, entry: ConversationEntry, result: CommandReply | null): void {
    if (entry.kind === "command" && entry.replyTo !== undefined && result !== null) {
      this.#out(position.partition).replies.push({ to: entry.replyTo, body: result });
    }
  }

  bury(position: LogPosition, kind: DeadLetterRow["kind"], reason: string, payload: string): void {
    const at = this.#options.now();
    this.#deadLetters.push({
      id: derivedId("deadLetter", at, position, 0),
      at_ms: at,
      kind,
      stream: this.#options.streamOf(position.partition),
      partition: position.partition,
      sequence: position.sequence,
      reason: storableText(reason),
      payload: storableText(payload, payload.length),
    });
  }

  get commit(): ConversationCommit {
    return {
      partitions: [...this.#last.values()].map(({ partition, sequence, stored }) => ({
        partition,
        cursor: sequence,
        stored,
        epoch: this.#options.epochOf(partition),
      })),
      conversations: [...this.#conversations.values()],
      sessions: [...this.#sessions.values()],
      messages: this.#messages,
      optOuts: this.#optOuts,
      media: this.#media,
      notes: this.#notes,
      seen: [...this.#seen.values()],
      outbox: [...this.#outbox].map(([partition, payload]) => ({
        kind: "route",
        partition,
        sequence: this.#last.get(partition)!.sequence,
        payload,
      })),
      statistics: [...this.#statistics.values()],
      deadLetters: this.#deadLetters,
      published: this.#published,
    };
  }

  #out(partition: number): Told {
    let out = this.#outbox.get(partition);
    if (out === undefined) this.#outbox.set(partition, out = { events: [], replies: [] });
    return out;
  }

  get counts(): BatchCounts {
    return { messages: [...this.#written.values()], calls: this.#calls };
  }

  #note({ number, direction }: MessageRow): void {
    const { numbersByAddress } = this.#options.directory.current();
    const purpose = numbersByAddress.get(number)?.purpose ?? "chat";
    const key = `${purpose} ${direction}`;
    const count = (this.#written.get(key)?.count ?? 0) + 1;
    this.#written.set(key, { purpose, direction, count });
  }

  #count(message: MessageRow): void {
    const hour = message.created_ms - message.created_ms % HOUR_MS;
    const shard = this.#options.shard();
    const key = `${message.channel_id} ${message.number} ${hour}`;
    const row = this.#statistics.get(key);
    this.#statistics.set(key, {
      channel_id: message.channel_id,
      number: message.number,
      hour_ms: hour,
      shard,
      received: (row?.received ?? 0) + 1,
      segments_in: (row?.segments_in ?? 0) + message.segments,
    });
  }
}
