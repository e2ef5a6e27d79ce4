/**
 * A decision being written: collects what an entry does to a conversation, and derives every id from the
 * entry's place in the log and a running number.
 *
 * @module
 */
import type { AutomatedTextKind } from "../core/automated_text.ts";
import type { Channel, Destination, OwnNumber } from "../core/channel.ts";
import { type ContactNotes, NOTHING_NOTED } from "../core/contact.ts";
import type { Directory, MessageQueue, Platform } from "../core/directory.ts";
import type { SessionFact } from "../core/dispatch/entry.ts";
import { concernsPeople, sessionFact } from "../core/dispatch/session_fact.ts";
import type { Command, CommandEntry, CommandReply, ConversationEntry } from "../core/entry.ts";
import type { Audience, EventType, PatchbayEvent } from "../core/events.ts";
import { conversationId, derivedId, type IdKind } from "../core/ids.ts";
import { CONFIRMATION_AUTHOR, type OptOutChange, type OptOutSource } from "../core/opt_out/opt_out.ts";
import type { Author, Media, MessageRow } from "../core/message.ts";
import { commonTypes } from "../core/media/media_types.ts";
import { newMessageEvent } from "../core/new_message_event.ts";
import type { NewMediaRow } from "../core/ports/media_queue.ts";
import { analyseText } from "../core/segments.ts";
import { type TextPart, textParts } from "../core/text_parts.ts";
import {
  type CloseReason,
  type DecidedBy,
  SESSION_TRANSITIONS,
  type SessionMove,
  type SessionRow,
  type SessionStep,
} from "../core/session.ts";
import type { SessionNote } from "../core/session_notes.ts";
import type { ConversationState, DecideContext, Decision, LastSession } from "./conversation.ts";
import { sessionData } from "./event_data.ts";
import type { Gathering, InboundContent } from "./fragments.ts";
import { afterAnswer, afterQuestion, type Hold, newHold, reviewed } from "./hold.ts";
import type { CallMemory } from "./in_call.ts";
import { type MessageContent, newMessage, newSession, queued, stateWith } from "./new_rows.ts";

const DAY_MS = 86_400_000;
const NO_GATHERINGS: readonly Gathering[] = [];
/** Whose audience has nobody in it. */
const NOBODY: Concerned = { extension_id: null, queue_id: null, platform_id: null };

/** Whom an event is about: `offered_to` of a session that nobody has taken yet. */
type Concerned =
  & Pick<SessionRow, "extension_id" | "queue_id" | "platform_id">
  & Partial<Pick<SessionRow, "offered_to">>;

/** What a move may change besides the state. */
export type SessionChange = Partial<
  Omit<SessionRow, "id" | "conversation_id" | "partition" | "state" | "version" | "history">
>;

export class Draft {
  readonly directory: Directory;
  readonly channel: Channel;
  /** Ours. */
  readonly number: OwnNumber;
  /** Messages of which parts are still missing. */
  gatherings: readonly Gathering[];
  /** How the last session ended, where that matters for the next. */
  last: LastSession | null;
  /** Of the call that is on or was last. */
  call: CallMemory | null;
  readonly #entry: ConversationEntry;
  readonly #context: DecideContext;
  readonly #conversation: string;
  readonly #messages: MessageRow[] = [];
  readonly #sessions: SessionRow[] = [];
  readonly #events: PatchbayEvent[] = [];
  readonly #optOuts: OptOutChange[] = [];
  readonly #media: NewMediaRow[] = [];
  readonly #notes: SessionNote[] = [];
  readonly #facts: SessionFact[] = [];
  #unansweredSinceMs: number | null;
  #position: number;
  #session: SessionRow | null;
  #hold: Hold | null;
  #isOptedOut: boolean;
  #effects = 0;

  constructor(
    state: ConversationState,
    entry: ConversationEntry,
    context: DecideContext,
    channel: Channel,
    number: OwnNumber,
  ) {
    this.directory = context.directory;
    this.gatherings = state.gatherings ?? NO_GATHERINGS;
    this.call = state.call ?? null;
    this.#entry = entry;
    this.#context = context;
    this.channel = channel;
    this.number = number;
    this.#conversation = context.conversation ?? conversationId(entry.number, entry.contact);
    this.#position = state.position;
    this.#session = state.session;
    this.#hold = state.hold ?? null;
    this.#isOptedOut = state.optedOut === true;
    this.last = state.last ?? null;
    this.#unansweredSinceMs = state.unansweredSinceMs ?? null;
  }

  /** The open session as it stands now. */
  get session(): SessionRow | null {
    return this.#session;
  }

  /** The platform's hold on the open session; null when none has it. */
  get hold(): Hold | null {
    return this.#hold;
  }

  /** Lets the limits of the hold be those of now. */
  reviewHold(): void {
    if (this.#hold !== null) this.#hold = reviewed(this.#hold, this.#platform());
  }

  /** The queue that the open session counts for. */
  get queue(): MessageQueue | undefined {
    const id = this.#session?.queue_id ?? null;
    return id === null ? undefined : this.directory.queues.get(id);
  }

  /** When it happens, ms since 1970. */
  get atMs(): number {
    return this.#entry.at;
  }

  /** Theirs. */
  get contact(): string {
    return this.#entry.contact;
  }

  /** What is noted of the contact, where a rule asks for it. */
  get notes(): ContactNotes {
    return this.#context.known?.notes.get(this.#entry.contact) ?? NOTHING_NOTED;
  }

  /** The contact's language: as noted, else that of the text, where a rule asks for it. */
  languageOf(text: string): string | null {
    return this.notes.language ?? this.#context.known?.detectLanguage?.(text) ?? null;
  }

  /** Messages in the conversation so far. */
  get messageCount(): number {
    return this.#position;
  }

  decision(reply: CommandReply | null): Decision {
    return {
      state: {
        position: this.#position,
        session: this.#session,
        ...(this.gatherings.length === 0 ? {} : { gatherings: this.gatherings }),
        ...(this.#isOptedOut ? { optedOut: true as const } : {}),
        ...(this.#hold === null || this.#session === null ? {} : { hold: this.#hold }),
        ...(this.last === null ? {} : { last: this.last }),
        ...(this.#unansweredSinceMs === null ? {} : { unansweredSinceMs: this.#unansweredSinceMs }),
        ...(this.call === null ? {} : { call: this.call }),
      },
      messages: this.#messages,
      sessions: this.#sessions,
      events: this.#events,
      optOuts: this.#optOuts,
      media: this.#media,
      notes: this.#notes,
      dispatch: this.#facts,
      reply,
    };
  }

  /** Whether the contact wants no more messages from this number. */
  get isOptedOut(): boolean {
    return this.#isOptedOut;
  }

  /** Notes the contact's wish and tells of it; nothing where it is known already. */
  setOptOut(active: boolean, source: OptOutSource, by: string): void {
    if (this.#isOptedOut === active) return;
    this.#isOptedOut = active;
    const { number, contact, at } = this.#entry;
    this.#optOuts.push({ audit_id: this.#id("audit"), contact, number, active, at_ms: at, source, by });
    this.#emit(active ? "contact.opted-out" : "contact.opted-in", this.#session ?? NOBODY, {
      channelId: this.channel.id,
      number,
      contact,
      source,
      by,
    });
  }

  /** The answer to a wish about messages as such: the one text that passes the gate whatever the contact wished. */
  addConfirmation(text: string): void {
    this.#addSystemText(textParts(text, this.channel.settings), CONFIRMATION_AUTHOR);
  }

  /**
   * A text that the system writes by itself; it leaves as any other message does, past the same gates. One over the
   * channel's limits is split even where the channel refuses such texts: nobody is there to shorten it.
   */
  addAutomatedText(text: string, kind: AutomatedTextKind): void {
    const parts = textParts(text, { ...this.channel.settings, overlong: "split" });
    this.#addSystemText(parts, { kind: "system", id: kind });
  }

  /** Opens a session with `destination`: waiting for a queue (or for anyone), held by a platform or active. */
  open(
    destination: Destination | null,
    by: string,
    { decidedBy, ...more }: SessionChange & { readonly decidedBy?: DecidedBy } = {},
  ): SessionRow {
    const decision = decidedBy === undefined ? {} : { decidedBy };
    const at = this.#entry.at;
    const state = stateWith(destination);
    const session: SessionRow = {
      ...newSession({
        id: this.#id("session"),
        conversationId: this.#conversation,
        partition: this.#context.position.partition,
        channel: this.channel,
        number: this.number,
        contact: this.#entry.contact,
        atMs: at,
        idleAtMs: this.idleAtMs,
      }, destination),
      history: [{ state, at: new Date(at).toISOString(), by, ...decision }],
      ...more,
    };
    this.#keep(session);
    this.event("session.opened", { by, ...decision });
    this.tellWhoHasIt(by);
    return session;
  }

  /**
   * Moves the open session; `change` is what becomes of it besides. What only one state knows (an offer, the end of a
   * wrap-up) ends with it. A step is kept in its history.
   */
  move(move: SessionMove, change: SessionChange, step: Pick<SessionStep, "by" | "note"> | null): void {
    const session = this.#session!;
    const state = SESSION_TRANSITIONS[session.state][move];
    if (state === undefined) throw new Error(`a session that is ${session.state} cannot ${move}`);
    // Whoever has it from now on has just got it, and answers what there is to answer.
    this.#unansweredSinceMs = null;
    this.#keep({
      ...session,
      offered_to: null,
      offer_until_ms: null,
      wrap_until_ms: null,
      ...change,
      state,
      version: session.version + 1,
      history: step === null
        ? session.history
        : [...session.history, { state, at: new Date(this.#entry.at).toISOString(), ...step }],
    });
  }

  /** Closes the open session. */
  close(move: "close" | "wrap-up-over", reason: CloseReason, by: string, note?: string): void {
    const queue = this.queue;
    const closedMs = this.#entry.at;
    const told = note === undefined ? {} : { note };
    this.move(move, { closed_ms: closedMs, close_reason: reason }, { by, ...told });
    this.event("session.closed", { by, reason, ...told });
    const { kind, extension_id: extensionId, language } = this.#session!;
    const matters = queue !== undefined && (queue.sticky || queue.texts.autoReply !== undefined);
    this.last = matters && kind === "chat" ? { queueId: queue.id, extensionId, language, closedMs } : null;
    this.#session = null;
  }

  /** Since when the contact waits for the agent's answer (null: it is given), told where the session's queue minds. */
  setUnanswered(sinceMs: number | null): void {
    const session = this.#session;
    const isKnown = (this.#unansweredSinceMs === null) === (sinceMs === null);
    if (session?.state !== "active" || isKnown || (this.queue?.ignoredSeconds ?? null) === null) return;
    this.#unansweredSinceMs = sinceMs;
    this.#keep({ ...session, version: session.version + 1 });
  }

  setTags(tags: readonly string[]): void {
    this.#session = { ...this.#session!, tags };
    this.#sessions.push(this.#session);
  }

  /** A note about a session of this conversation, open or not. */
  addNote(sessionId: string, text: string, by: string): SessionNote {
    const note = { id: this.#id("note"), session_id: sessionId, at_ms: this.#entry.at, by, text };
    this.#notes.push(note);
    return note;
  }

  /** Tells who is to see to the session from now on. */
  tellWhoHasIt(by: string): void {
    const session = this.#session!;
    if (session.state !== "waiting") return this.event("session.assigned", { by });
    const { queue } = this;
    // Where its members pick for themselves, what waits is offered to all of them.
    const isOffered = queue === undefined || queue.strategy === "pickup";
    this.event(isOffered ? "session.offered" : "session.waiting", { by });
  }

  /** Its media are noted to be fetched, or left out with a note where the channel takes none. */
  addInbound(content: InboundContent): MessageRow {
    const { encoding, segments } = analyseText(content.text, "auto");
    const offered = content.media ?? [];
    const types = this.#mediaTypes();
    const taken = this.channel.settings.media.inbound && types?.length !== 0 ? offered : [];
    const media = taken.map((one): Media => ({ ...one, id: this.#id("media"), state: "pending" }));
    const notes = [
      ...(content.note === undefined ? [] : [content.note]),
      ...(offered.length > taken.length
        ? [`left out, as the channel takes no media: ${offered.length}`]
        : []),
    ];
    const message = this.#addMessage({
      direction: "inbound",
      status: "received",
      priority: 0,
      text: content.text,
      encoding,
      segments,
      media: media.length === 0 ? null : media,
      author: null,
      provider_id: content.providerId ?? null,
      note: notes.length === 0 ? null : notes.join("; "),
      not_before_ms: null,
      expires_ms: null,
    });
    for (const { id, url, contentType } of media) {
      this.#media.push({
        id: id!,
        message_id: message.id,
        channel_id: message.channel_id,
        source_url: url,
        declared_type: contentType ?? null,
        types,
        created_ms: message.created_ms,
      });
    }
    return message;
  }

  /** The types of files that are fetched: null for what the channel takes. */
  #mediaTypes(): readonly string[] | null {
    const { mediaTypes } = this.directory.inCall;
    if (this.number.purpose !== "in-call" || mediaTypes.length === 0) return null;
    const { types } = this.channel.settings.media;
    return types.length === 0 ? mediaTypes : commonTypes(types, mediaTypes);
  }

  /** The text as the channel sends it: one message, or one for each part. Media go with the first. */
  addOutbound(
    entry: CommandEntry,
    command: Extract<Command, { kind: "send" }>,
  ): readonly [MessageRow, ...MessageRow[]] {
    const [first, ...others] = textParts(command.text, this.channel.settings);
    const timing = {
      not_before_ms: command.notBeforeMs ?? null,
      expires_ms: command.validityMs === undefined
        ? null
        : (command.notBeforeMs ?? entry.at) + command.validityMs,
    };
    const add = (part: TextPart, media: MessageRow["media"]) =>
      this.#addMessage({ ...queued(part, entry.author), priority: command.priority, media, ...timing });
    const media = command.media?.map((one): Media => one.id === undefined ? one : { ...one, state: "ready" });
    return [add(first, media ?? null), ...others.map((part) => add(part, null))];
  }

  /** An event about a session that is not open any more. */
  eventAfterwards(type: EventType, data: Record<string, unknown>): void {
    const { number, contact } = this.#entry;
    const conversationId = this.#conversation;
    this.#emit(type, NOBODY, { conversationId, channelId: this.channel.id, number, contact, ...data });
  }

  /** An event about the session as it stands now; `formerPlatform` hears that it has it no more. */
  event(type: EventType, more: Record<string, unknown>, formerPlatform: string | null = null): void {
    const session = this.#session!;
    const whose = { ...session, platform_id: session.platform_id ?? formerPlatform };
    this.#emit(type, whose, { ...sessionData(session), ...more });
  }

  #addSystemText(parts: readonly TextPart[], author: Author): void {
    for (const part of parts) {
      this.#addMessage({ ...queued(part, author), priority: 0 });
    }
  }

  #addMessage(content: MessageContent): MessageRow {
    const at = this.#entry.at;
    const session = this.#session;
    const message = newMessage(
      {
        id: this.#id("message"),
        conversationId: this.#conversation,
        position: ++this.#position,
        channel: this.channel,
        number: this.number,
        contact: this.#entry.contact,
        atMs: at,
      },
      session,
      content,
    );
    this.#messages.push(message);
    if (session !== null) {
      const idle_ms = session.state === "wrap-up" ? session.idle_ms : this.idleAtMs;
      this.#session = { ...session, last_activity_ms: at, idle_ms };
      this.#noteInHold(message);
    }
    this.#events.push(newMessageEvent(this.#id("event"), message));
    return message;
  }

  #emit(
    type: EventType,
    whose: Concerned,
    data: Record<string, unknown>,
  ): void {
    const audience: Audience = {
      extensionId: whose.extension_id ?? whose.offered_to,
      queueId: whose.queue_id,
      platformId: whose.platform_id,
    };
    this.#events.push({
      id: this.#id("event"),
      type,
      atMs: this.#entry.at,
      channelId: this.channel.id,
      number: this.#entry.number,
      audience,
      data,
    });
  }

  #id(kind: IdKind): string {
    return derivedId(kind, this.#entry.at, this.#context.position, this.#effects++);
  }

  /** When a session to which something is written now closes by itself, ms since 1970. */
  get idleAtMs(): number {
    return Math.ceil(this.#entry.at + this.channel.settings.sessionTimeoutDays * DAY_MS);
  }

  /** The holder's own messages are answers; what people or the system write besides is not. */
  #noteInHold({ direction, author }: MessageRow): void {
    if (this.#hold === null) return;
    if (direction === "inbound") {
      this.#hold = afterQuestion(this.#hold, this.#entry.at, this.#platform());
    } else if (author?.kind === "platform" && author.id === this.#session?.platform_id) {
      this.#hold = afterAnswer(this.#hold, this.#platform());
    }
  }

  #platform(): Platform | undefined {
    const id = this.#session?.platform_id ?? null;
    return id === null ? undefined : this.directory.platforms.get(id);
  }

  #keep(session: SessionRow): void {
    const concerned = concernsPeople(session) || (this.#session !== null && concernsPeople(this.#session));
    if (concerned) this.#facts.push(sessionFact(session, this.#entry.at, this.#unansweredSinceMs));
    this.#session = session;
    this.#sessions.push(session);
    // Given to the platform that has it already, it is given anew.
    this.#hold = session.state === "platform" ? newHold(this.#entry.at, this.#platform()) : null;
  }
}
