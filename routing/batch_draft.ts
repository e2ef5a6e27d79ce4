/**
 * What a batch of conversations' inputs does, while it is being decided: becomes one commit.
 *
 * @module
 */
import type { OwnNumber } from "../core/channel.ts";
import type { DispatchEntry } from "../core/dispatch/entry.ts";
import type { CommandReply, ConversationEntry } from "../core/entry.ts";
import type { PatchbayEvent } from "../core/events.ts";
import { derivedId, type LogPosition } from "../core/ids.ts";
import type { MessageRow } from "../core/message.ts";
import type { OptOutChange } from "../core/opt_out/opt_out.ts";
import type { Published, ReplyOut } from "../core/outbox.ts";
import type {
  ConversationCommit,
  ConversationRow,
  DeadLetterRow,
  SeenRow,
  StatisticsRow,
} from "../core/ports/conversation_store.ts";
import type { DirectorySource } from "../core/ports/directory.ts";
import type { NewMediaRow } from "../core/ports/media_queue.ts";
import type { LogMessage } from "../core/ports/partition_log.ts";
import type { SessionRow } from "../core/session.ts";
import type { SessionNote } from "../core/session_notes.ts";
import { storableText } from "../core/storable_text.ts";
import type { ConversationState, Decision } from "./conversation.ts";
import { nextDueMs } from "./fragments.ts";
import { isTouch } from "./touch.ts";

const HOUR_MS = 3_600_000;

export interface BatchDraftOptions {
  readonly directory: DirectorySource;
  readonly epochOf: (partition: number) => number;
  /** Tells this lane's counters from those of all other lanes at work, in other processes too. */
  readonly shard: () => number;
  /** Stream's name by partition, for the dead letters. */
  readonly streamOf: (partition: number) => string;
  /** Whether there is a dispatcher; without one, what it would be told is not stored either. */
  readonly hasDispatcher: boolean;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

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

/** What a partition's part of a batch has to tell. */
interface Told {
  readonly events: PatchbayEvent[];
  readonly replies: ReplyOut[];
  dispatch?: DispatchEntry[];
}

/** What a batch does, while it is being decided. */
export class BatchDraft {
  readonly states = new Map<string, ConversationState>();
  readonly queued: MessageRow[] = [];
  readonly #options: BatchDraftOptions;
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
    options: BatchDraftOptions,
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
    const isStored = (this.#conversations.get(conversation)?.state ?? null) === null;
    this.#conversations.set(conversation, {
      id: conversation,
      partition,
      number: entry.number,
      contact: entry.contact,
      state: isStored && isTouch(before, decision.state) ? null : decision.state,
      position: decision.state.position,
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
