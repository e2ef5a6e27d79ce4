/**
 * Texting during calls: a call opens a session, and its end closes it.
 *
 * On a number for calls nothing else does: a contact's message belongs to the call that is on, or to none. Whoever writes
 * without a call is answered at most once until the next call has ended, so that two machines cannot keep answering each
 * other.
 *
 * @module
 */
import { inLanguage, type Texts } from "../core/automated_text.ts";
import type { Command, CommandEntry, CommandReply } from "../core/entry.ts";
import {
  type CallTerms,
  type Objection,
  objectionTo,
  objectionToFreeText,
  presetText,
  termsOf,
} from "../core/in_call/terms.ts";
import { mayWriteFrom } from "../core/number_use.ts";
import type { CloseReason, SessionRow } from "../core/session.ts";
import type { Draft } from "./draft.ts";
import type { InboundContent } from "./fragments.ts";
import { authorName, holderIn, holderName, mayDirect, notYours, optedOut, refuse, sent } from "./refusal.ts";

/** What a conversation keeps of the call that is on, or else of the last one. */
export interface CallMemory {
  readonly queueId: string | null;
  readonly language: string | null;
  /** Position of the newest message when it began. */
  readonly from: number;
  /** Somebody wrote after its end and was answered. */
  readonly answered?: true;
}

type Send = Extract<Command, { kind: "send" }>;

/** Opens the session between the agent who has the call and the caller; the same call finds its session open. */
export function openCall(
  draft: Draft,
  entry: CommandEntry,
  command: Extract<Command, { kind: "open-call" }>,
): CommandReply {
  const { callId, extensionId } = command;
  const queueId = command.queueId ?? null;
  const language = command.language ?? null;
  const { session, directory, number, contact } = draft;
  if (session?.call_id === callId) {
    if (session.extension_id === extensionId) return { ok: true, sessionId: session.id };
    return {
      ...refuse(409, "call-exists", `the call is held by ${holderName(session, directory)}`),
      ...holderIn(session),
    };
  }
  if (number.purpose !== "in-call") {
    return refuse(409, "not-for-calls", `${number.number} is not for calls`);
  }
  if (!directory.extensions.has(extensionId)) {
    return refuse(422, "unknown-extension", `there is no extension ${extensionId}`);
  }
  if (queueId !== null && !directory.queues.has(queueId)) {
    return refuse(422, "unknown-queue", `there is no queue ${queueId}`);
  }
  if (!mayWriteFrom(number, extensionId, directory)) {
    return refuse(
      403,
      "number-not-allowed",
      `extension ${extensionId} may not open sessions from ${number.number}`,
    );
  }
  const objection = objectionTo(termsOf(directory, queueId), contact);
  if (objection !== null) return objected(objection);
  const by = authorName(entry);
  if (session !== null) {
    if (session.kind !== "call") {
      return refuse(409, "session-open", "a session that belongs to no call is open with this contact");
    }
    // Whoever calls again has hung up before, though nobody told.
    draft.close("close", "call-replaced", by);
  }
  draft.call = { queueId, language, from: draft.messageCount };
  const opened = draft.open({ kind: "extension", id: extensionId }, by, {
    kind: "call",
    call_id: callId,
    queue_id: queueId,
    language,
  });
  return { ok: true, sessionId: opened.id };
}

/** Closes the call's session, whatever ended the call; one that is over stays as it is. */
export function endCall(
  draft: Draft,
  entry: CommandEntry,
  { callId, reason }: Extract<Command, { kind: "end-call" }>,
): CommandReply {
  const { session, directory } = draft;
  if (session === null || session.call_id !== callId) return { ok: true };
  if (!mayDirect(entry.author, session)) return notYours(session, directory);
  closeCall(draft, "call-ended", authorName(entry), reason);
  return { ok: true, sessionId: session.id };
}

/** Closes the session of a call; if anything was written during it, with the closing text. */
export function closeCall(draft: Draft, reason: CloseReason, by: string, note?: string): void {
  const { call } = draft;
  const terms = termsOf(draft.directory, call?.queueId ?? null);
  if (call !== null && draft.messageCount > call.from) {
    say(draft, terms, call, terms.closingText, "call-closing");
  }
  draft.close("close", reason, by, note);
}

/** Sends a preset, or a text of the agent's own where that is allowed. */
export function sendInCall(
  draft: Draft,
  entry: CommandEntry,
  { callId, preset, language, text }: Extract<Command, { kind: "send-in-call" }>,
): CommandReply {
  const { session, directory } = draft;
  if (session === null || session.call_id !== callId) {
    return refuse(409, "call-ended", `the call ${callId} is over`);
  }
  if (preset === undefined) {
    return send(draft, entry, { kind: "send", sessionId: session.id, text: text ?? "", priority: 0 });
  }
  const refusal = refusalDuring(draft, entry, session);
  if (refusal !== null) return refusal;
  const wanted = language ?? languageOf(draft, termsOf(directory, session.queue_id));
  const found = presetText(directory, session.queue_id, preset, wanted);
  if (found === null) {
    return refuse(422, "unknown-preset", `calls of this queue have no preset ${preset}`);
  }
  return sent(draft.addOutbound(entry, { kind: "send", text: found, priority: 0 }));
}

/** A text of somebody's own, on a number for calls. */
export function send(draft: Draft, entry: CommandEntry, command: Send): CommandReply {
  const { session, directory, number } = draft;
  if (session?.kind !== "call" || (command.sessionId ?? session.id) !== session.id) {
    return refuse(409, "no-call", `texts leave ${number.number} during calls only, and this one is over`);
  }
  const refusal = refusalDuring(draft, entry, session);
  if (refusal !== null) return refusal;
  if (command.notBeforeMs !== undefined) {
    return refuse(422, "not-now", "a text during a call leaves now or not at all");
  }
  const objection = objectionToFreeText(termsOf(directory, session.queue_id), command.text);
  return objection === null ? sent(draft.addOutbound(entry, command)) : objected(objection);
}

/** A contact's message to a number for calls; it opens nothing. `isWish`: it was a STOP or the like. */
export function receiveForCall(draft: Draft, content: InboundContent, isWish: boolean): void {
  draft.addInbound(content);
  const { call } = draft;
  if (draft.session !== null || isWish || call?.answered === true) return;
  const memory = call ?? { queueId: null, language: null, from: draft.messageCount };
  const terms = termsOf(draft.directory, memory.queueId);
  if (say(draft, terms, memory, terms.autoReply, "call-auto-reply")) {
    draft.call = { ...memory, answered: true };
  }
}

/** Whether it was said: nothing is, where texting is off or not wanted. */
function say(
  draft: Draft,
  terms: CallTerms,
  { language }: CallMemory,
  texts: Texts | null,
  kind: "call-closing" | "call-auto-reply",
): boolean {
  if (texts === null || draft.isOptedOut || objectionTo(terms, draft.contact) !== null) return false;
  draft.addAutomatedText(inLanguage(texts, language ?? terms.language), kind);
  return true;
}

/** Why nothing may be sent by this author in this call, whatever it is. */
function refusalDuring(draft: Draft, entry: CommandEntry, session: SessionRow): CommandReply | null {
  const { directory, contact } = draft;
  if (draft.isOptedOut) return optedOut(entry);
  if (!mayDirect(entry.author, session)) return notYours(session, directory);
  const objection = objectionTo(termsOf(directory, session.queue_id), contact);
  return objection === null ? null : objected(objection);
}

function languageOf({ call }: Draft, terms: CallTerms): string {
  return call?.language ?? terms.language;
}

function objected({ code, detail }: Objection): CommandReply & { ok: false } {
  return refuse(code === "too-long" ? 422 : 403, code, detail);
}
