/**
 * The conversation actor: what one input does to one conversation. Pure: same state, same entry, same
 * directory and same place in the log give the same decision, down to the ids.
 *
 * A conversation has at most one open session. A contact's message goes to it, or opens one where the routing rules or
 * the number lead to; everything that people, platforms, callers of the API and timers want comes as a command.
 *
 * @module
 */
import type { Channel, OwnNumber } from "../core/channel.ts";
import type { ContactNotes } from "../core/contact.ts";
import type { Directory } from "../core/directory.ts";
import type { Command, CommandEntry, CommandReply, ConversationEntry, InboundEntry } from "../core/entry.ts";
import { assertNever } from "../core/errors.ts";
import type { SessionFact } from "../core/dispatch/entry.ts";
import type { PatchbayEvent } from "../core/events.ts";
import type { DetectLanguage } from "../core/language.ts";
import { conversationId, derivedId, type LogPosition } from "../core/ids.ts";
import type { MessageRow } from "../core/message.ts";
import { ALL_NUMBERS, type OptOutChange } from "../core/opt_out/opt_out.ts";
import type { NewMediaRow } from "../core/ports/media_queue.ts";
import type { SessionRow } from "../core/session.ts";
import type { SessionNote } from "../core/session_notes.ts";
import { Draft } from "./draft.ts";
import { gather, type Gathered, type Gathering, type InboundContent, takeOverdue } from "./fragments.ts";
import type { Hold } from "./hold.ts";
import {
  type CallMemory,
  endCall,
  openCall,
  receiveForCall,
  send as sendOwnText,
  sendInCall,
} from "./in_call.ts";
import { accept } from "./moves/accept.ts";
import { close, closeIdle, endWrapUp } from "./moves/close.ts";
import { decline, expireOffer, offer, takeBack } from "./moves/offer.ts";
import { open } from "./moves/open.ts";
import { endHold } from "./moves/platform.ts";
import { transfer } from "./moves/transfer.ts";
import { addNote, tag } from "./moves/notes.ts";
import { receiveFor } from "./opening.ts";
import { sayInLine } from "./saying.ts";
import { authorName, mayDirect, notOpen, notYours, optedOut, refuse, sent } from "./refusal.ts";
import { wishIn } from "./wishes.ts";

/** What is kept of a conversation between its inputs. */
export interface ConversationState {
  /** Position of the newest message. */
  readonly position: number;
  /** The open session. */
  readonly session: SessionRow | null;
  /** Messages of which parts are still missing; left out when there are none. */
  readonly gatherings?: readonly Gathering[];
  /** The contact wants no more messages from this number; left out where that is not so. */
  readonly optedOut?: true;
  /** Of the platform that has the open session; left out where none has. */
  readonly hold?: Hold;
  /** How the last session ended, where its queue goes back to that. */
  readonly last?: LastSession;
  /** Since when the agent's answer is waited for, ms since 1970, where the session's queue minds; left out where it is not. */
  readonly unansweredSinceMs?: number;
  /** Of the call that is on or was last; left out where there was none. */
  readonly call?: CallMemory;
}

/** What is kept of a session that was closed. */
export interface LastSession {
  readonly queueId: string;
  /** Who held it. */
  readonly extensionId: string | null;
  readonly language: string | null;
  readonly closedMs: number;
  /** A message that came after it was answered by itself. */
  readonly isAnswered?: true;
}

export const NEW_CONVERSATION: ConversationState = { position: 0, session: null };

export interface DecideContext {
  readonly directory: Directory;
  /** Where the entry stands in the log: ids are derived from it. */
  readonly position: LogPosition;
  /** The conversation's id, where it is known already. @default made from the entry */
  readonly conversation?: string;
  /** @default nothing */
  readonly known?: KnownOfContacts;
}

/** What rules may ask for of contacts; empty where none does. */
export interface KnownOfContacts {
  /** Of those of whom anything is noted. */
  readonly notes: ReadonlyMap<string, ContactNotes>;
  /** Null where no rule asks for a language. */
  readonly detectLanguage: DetectLanguage | null;
}

export const NOTHING_KNOWN: KnownOfContacts = { notes: new Map(), detectLanguage: null };

export interface Decision {
  readonly state: ConversationState;
  readonly messages: readonly MessageRow[];
  /** Sessions that were opened, changed hands or closed, in order; the same one may come twice. */
  readonly sessions: readonly SessionRow[];
  readonly events: readonly PatchbayEvent[];
  readonly optOuts: readonly OptOutChange[];
  /** Files to be fetched. */
  readonly media: readonly NewMediaRow[];
  readonly notes: readonly SessionNote[];
  /** What the dispatcher is told: every move of a session that people serve. */
  readonly dispatch: readonly SessionFact[];
  /** The answer to a command; null for a contact's message. */
  readonly reply: CommandReply | null;
}

/** Thrown for an entry that can never be applied: it goes to the dead letters with this reason. */
export class UnappliableError extends Error {
  override readonly name = "UnappliableError";
}

/** The decision on one entry. A refused command changes nothing. */
export function decide(state: ConversationState, entry: ConversationEntry, context: DecideContext): Decision {
  return entry.kind === "inbound" ? receive(state, entry, context) : obey(state, entry, context);
}

function receive(state: ConversationState, entry: InboundEntry, context: DecideContext): Decision {
  const { channel, number } = lookUp(context.directory, entry.number);
  const draft = new Draft(state, entry, context, channel, number);
  if (entry.fragment === undefined || entry.fragment.of === 1) receiveWhole(draft, entry);
  else receiveGathered(draft, gather(draft.gatherings, entry));
  return draft.decision(null);
}

function receiveWhole(draft: Draft, content: InboundContent): void {
  const obeyWish = wishIn(draft, content);
  if (draft.number.purpose === "in-call") {
    receiveForCall(draft, content, obeyWish !== null);
    obeyWish?.();
    return;
  }
  // Whoever only says STOP is not waiting for a person; nor does anybody who writes to a number that only sends.
  const isForPeople = obeyWish === null && (draft.session !== null || draft.number.direction === "both");
  const sayByItself = isForPeople ? receiveFor(draft, content) : null;
  draft.addInbound(content);
  obeyWish?.();
  sayByItself?.();
}

function receiveGathered(draft: Draft, { gatherings, ready }: Gathered): void {
  draft.gatherings = gatherings;
  for (const content of ready) receiveWhole(draft, content);
}

function obey(state: ConversationState, entry: CommandEntry, context: DecideContext): Decision {
  if (entry.number === ALL_NUMBERS) return obeyForAllNumbers(state, entry, context);
  const found = find(context.directory, entry.number);
  if (found === null) {
    return {
      ...unchanged(state),
      reply: refuse(404, "unknown-number", `${entry.number} is not one of the configured numbers`),
    };
  }
  const draft = new Draft(state, entry, context, found.channel, found.number);
  const reply = carryOut(draft, entry, entry.command);
  return reply.ok ? draft.decision(reply) : { ...unchanged(state), reply };
}

function unchanged(state: ConversationState): Omit<Decision, "reply"> {
  return { state, messages: [], sessions: [], events: [], optOuts: [], media: [], notes: [], dispatch: [] };
}

/** A contact's wish about all of our numbers is kept like a conversation, without messages, with the number `*`. */
function obeyForAllNumbers(state: ConversationState, entry: CommandEntry, context: DecideContext): Decision {
  const { command, contact, at } = entry;
  if (command.kind !== "opt-out" && command.kind !== "opt-in") {
    return {
      ...unchanged(state),
      reply: refuse(404, "unknown-number", "name one of the configured numbers"),
    };
  }
  const active = command.kind === "opt-out";
  if ((state.optedOut === true) === active) return { ...unchanged(state), reply: { ok: true } };
  const { source } = command;
  const by = authorName(entry);
  return {
    ...unchanged({ position: 0, session: null, ...(active ? { optedOut: true } : {}) }),
    events: [{
      id: derivedId("event", at, context.position, 0),
      type: active ? "contact.opted-out" : "contact.opted-in",
      atMs: at,
      channelId: "-",
      number: "-",
      audience: {},
      data: { number: ALL_NUMBERS, contact, source, by },
    }],
    optOuts: [{
      audit_id: derivedId("audit", at, context.position, 1),
      contact,
      number: ALL_NUMBERS,
      active,
      at_ms: at,
      source,
      by,
    }],
    reply: { ok: true },
  };
}

function carryOut(draft: Draft, entry: CommandEntry, command: Command): CommandReply {
  switch (command.kind) {
    case "accept":
      return accept(draft, command);
    case "decline":
      return decline(draft, command);
    case "offer":
      return offer(draft, entry, command);
    case "offer-expired":
      return expireOffer(draft, entry, command);
    case "take-back":
      return takeBack(draft, entry, command);
    case "transfer":
      return transfer(draft, entry, command);
    case "close":
      return close(draft, entry, command.sessionId);
    case "idle":
      return closeIdle(draft, entry, command.sessionId);
    case "wrap-up-over":
      return endWrapUp(draft, command);
    case "platform-overdue":
      return endHold(draft, command.sessionId);
    case "say":
      return sayInLine(draft, command);
    case "note":
      return addNote(draft, entry, command);
    case "tag":
      return tag(draft, entry, command);
    case "overdue-parts":
      receiveGathered(draft, takeOverdue(draft.gatherings, entry.at));
      return { ok: true };
    case "open":
      return open(draft, command);
    case "send":
      return send(draft, entry, command);
    case "open-call":
      return openCall(draft, entry, command);
    case "end-call":
      return endCall(draft, entry, command);
    case "send-in-call":
      return sendInCall(draft, entry, command);
    case "opt-out":
    case "opt-in":
      draft.setOptOut(command.kind === "opt-out", command.source, authorName(entry));
      return { ok: true };
    default:
      return assertNever(command);
  }
}

function send(draft: Draft, entry: CommandEntry, command: Extract<Command, { kind: "send" }>): CommandReply {
  if (draft.number.purpose === "in-call") return sendOwnText(draft, entry, command);
  if (draft.isOptedOut) return optedOut(entry);
  const session = draft.session;
  if (command.sessionId !== undefined) {
    if (session === null || session.id !== command.sessionId) return notOpen(command.sessionId);
    if (session.state === "waiting" && entry.author.kind === "extension") {
      return refuse(409, "not-accepted", "the session waits: accept it before answering");
    }
    if (!mayDirect(entry.author, session)) return notYours(session, draft.directory);
  }
  const messages = draft.addOutbound(entry, command);
  if (messages[0].session_id !== null) draft.setUnanswered(null);
  return sent(messages);
}

function find(directory: Directory, address: string): { channel: Channel; number: OwnNumber } | null {
  const number = directory.numbersByAddress.get(address);
  const channel = number === undefined ? undefined : directory.channels.get(number.channelId);
  return number === undefined || channel === undefined ? null : { channel, number };
}

function lookUp(directory: Directory, address: string): { channel: Channel; number: OwnNumber } {
  const found = find(directory, address);
  if (found === null) throw new UnappliableError(`${address} is no longer one of the configured numbers`);
  return found;
}

/** The key of the conversation an entry belongs to. */
export function conversationOf(entry: ConversationEntry): string {
  return conversationId(entry.number, entry.contact);
}
