/**
 * Applies batches of conversations' inputs: loads with one query, decides in memory, writes with one statement.
 *
 * @module
 */
import type { DetectLanguage } from "../core/language.ts";
import type { ContactSource } from "../core/ports/contacts.ts";
import type { FreshDirectory } from "../core/ports/directory.ts";
import {
  type CommandReply,
  type ConversationEntry,
  ConversationEntrySchema,
  type Undecodable,
  unpack,
} from "../core/entry.ts";
import { type LogPosition } from "../core/ids.ts";
import type { MessageRow } from "../core/message.ts";
import type { Published } from "../core/outbox.ts";
import {
  type ConversationStore,
  type DeadLetterRow,
  UnstorableError,
} from "../core/ports/conversation_store.ts";
import type { LogMessage } from "../core/ports/partition_log.ts";
import type { Applier, ApplyResult } from "../core/runtime/lane.ts";
import { asksForContact, asksForLanguage } from "../core/rules/needs.ts";
import { type BatchCounts, BatchDraft, type BatchDraftOptions } from "./batch_draft.ts";
import {
  conversationOf,
  type ConversationState,
  decide,
  type KnownOfContacts,
  NEW_CONVERSATION,
  NOTHING_KNOWN,
  UnappliableError,
} from "./conversation.ts";
import { withTouches } from "./touch.ts";

/**
 * A batch of so few entries is decided as if none were a repeat: their keys, which nobody has seen twice, are refused by
 * the database where that is wrong. To ask first would take a query for a message or two. Of more entries one is a
 * repeat too often: providers repeat about one webhook in a hundred.
 */
const TRUSTED_ENTRIES = 8;
/** Conversations kept in memory per lane; one at rest longer is loaded again. */
const CACHE_SIZE = 20_000;

export interface ConversationApplierOptions extends BatchDraftOptions {
  readonly store: ConversationStore;
  readonly directory: FreshDirectory;
  /** Told of every new outbound message once it is committed: the fast path to the send workers. */
  readonly onQueued: (messages: readonly MessageRow[]) => void;
  /** Told of what was counted once it is committed. */
  readonly onCounted?: (counts: BatchCounts) => void;
  /** Told once files that are to be fetched are committed. */
  readonly onMedia?: () => void;
  readonly onDeadLetter: (letter: DeadLetterRow) => void;
  /** Asked only where a routing rule needs it. */
  readonly contacts: ContactSource;
  /** The same. */
  readonly languageDetector: () => Promise<DetectLanguage>;
}

/** What a batch adds to the process's counters. */
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
    let isTrusted = this.#mayTrust(entries);
    let loaded = await this.#load(entries, isTrusted);
    const poisoned = new Map<Placed, string>();
    for (;;) {
      const draft = this.#decideAll(batch, entries, loaded, poisoned, published);
      // Only what is written with its key is refused where it is a repeat.
      const isSure = !isTrusted || entries.every((placed) => isKept(draft, placed));
      const outcome = isSure ? await this.#commit(draft) : null;
      if (outcome === "fenced") return { kind: "fenced" };
      if (outcome !== "committed") {
        if (isTrusted) {
          isTrusted = false;
          loaded = await this.#load(entries, false);
          continue;
        }
        if (poisoned.size > 0) throw outcome;
        await this.#findPoison(batch, entries, loaded, poisoned);
        if (poisoned.size === 0) throw outcome;
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

  /** Gives the error when the content cannot be stored; rejects when nobody knows. */
  async #commit(draft: BatchDraft): Promise<"committed" | "fenced" | UnstorableError> {
    try {
      return await this.#options.store.commit(draft.commit);
    } catch (error) {
      if (error instanceof UnstorableError) return error;
      throw error;
    }
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

  /** Whether these entries may be taken for new ones, of conversations that are known. */
  #mayTrust(entries: readonly Placed[]): boolean {
    return entries.length <= TRUSTED_ENTRIES &&
      entries.every(({ entry, conversation }) =>
        entry.kind !== "undecodable" && this.#cache.has(conversation)
      );
  }

  /** What is known of the conversations and, unless they are taken for new, of the entries themselves. */
  async #load(entries: readonly Placed[], areNew: boolean): Promise<Loaded> {
    const conversations = new Set<string>();
    const keys = new Set<string>();
    for (const { entry, conversation } of entries) {
      if (entry.kind === "undecodable") continue;
      if (!areNew) keys.add(entry.key);
      if (!this.#cache.has(conversation)) conversations.add(conversation);
    }
    const [stored, known] = await Promise.all([
      this.#options.store.load([...conversations], [...keys]),
      this.#askAbout(entries),
    ]);
    const states = new Map([...stored.conversations].map(([id, one]) => [id, withTouches(one)]));
    return { states, seen: stored.seen, known };
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
          decide(state, entry, { directory, position, conversation, known: loaded.known }),
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

/** Whether the draft writes the entry's key. */
function isKept(draft: BatchDraft, { entry }: Placed): boolean {
  return entry.kind !== "undecodable" && draft.resultOf(entry.key) !== undefined;
}

interface Loaded {
  readonly states: ReadonlyMap<string, ConversationState>;
  readonly seen: ReadonlyMap<string, CommandReply | null>;
  readonly known: KnownOfContacts;
}
