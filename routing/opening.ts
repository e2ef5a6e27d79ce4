/**
 * What a contact's message does before it is filed: it goes to the open session, opens one, or is answered by itself.
 *
 * @module
 */
import type { AutomatedTextKind, Texts } from "../core/automated_text.ts";
import { isOpen } from "../core/calendar/hours.ts";
import type { Destination } from "../core/channel.ts";
import type { Directory, MessageQueue } from "../core/directory.ts";
import { decideRoute } from "../core/rules/decide.ts";
import type { RoutingRule } from "../core/rules/rule.ts";
import { DEFAULT_PRIORITY } from "../core/session.ts";
import type { Draft } from "./draft.ts";
import type { InboundContent } from "./fragments.ts";
import { reopen } from "./moves/close.ts";
import { say } from "./saying.ts";

const DAY_MS = 86_400_000;

/** Makes ready for a contact's message; returns what is left to do once it is filed. */
export function receiveFor(draft: Draft, content: InboundContent): (() => void) | null {
  const { session } = draft;
  if (session === null) return answerAfterClose(draft) ?? openForContact(draft, content);
  if (session.state === "wrap-up") reopen(draft, "contact");
  return () => draft.setUnanswered(draft.atMs);
}

/** Where the last session's queue wants that, the first message after it is answered and opens no session. */
function answerAfterClose(draft: Draft): (() => void) | null {
  const { last, atMs } = draft;
  const reply = last === null ? undefined : draft.directory.queues.get(last.queueId)?.texts.autoReply;
  if (last === null || reply === undefined || last.isAnswered === true || draft.isOptedOut) return null;
  if (atMs - last.closedMs > reply.withinSeconds * 1_000) return null;
  draft.last = { ...last, isAnswered: true };
  return () => say(draft, "auto-reply", reply.text, last.language);
}

/** Opens a session where the first rule that fits leads to, or else the number; then says what is said by itself. */
function openForContact(draft: Draft, content: InboundContent): () => void {
  const { directory, number, contact } = draft;
  const { rule, destination } = decideRoute(directory, {
    number,
    contact,
    text: content.text,
    atMs: draft.atMs,
    isReturning: draft.messageCount > 0,
    attributes: draft.notes.attributes,
    language: draft.languageOf(content.text),
  });
  const queue = destination?.kind === "queue" ? directory.queues.get(destination.id) : undefined;
  draft.open(destination, "contact", {
    decidedBy: rule === null ? { kind: "number" } : { kind: "rule", id: rule.id, name: rule.name },
    priority: rule?.action.priority ?? DEFAULT_PRIORITY,
    skills: rule?.action.skills ?? null,
    language: rule?.action.language ?? null,
    sticky_extension_id: queue === undefined ? null : stickyTo(draft, queue),
  });
  const first = firstText(draft, rule, destination);
  return () => {
    if (first !== null) say(draft, first.kind, first.texts, rule?.action.language);
    draft.setUnanswered(draft.atMs);
  };
}

/** Who had the contact's last session in this queue, if they are to have this one too. */
function stickyTo({ last, atMs }: Draft, queue: MessageQueue): string | null {
  if (!queue.sticky || last === null || last.queueId !== queue.id || last.extensionId === null) return null;
  const isRecent = atMs - last.closedMs <= queue.stickyDays * DAY_MS;
  return isRecent && queue.members.has(last.extensionId) ? last.extensionId : null;
}

interface FirstText {
  readonly texts: Texts | undefined;
  readonly kind: AutomatedTextKind;
}

/** One text for a session at most: the rule's, or else the queue's. */
function firstText(
  draft: Draft,
  rule: RoutingRule | null,
  destination: Destination | null,
): FirstText | null {
  if (rule?.action.text) return { texts: rule.action.text, kind: "rule" };
  const queue = destination?.kind === "queue" ? draft.directory.queues.get(destination.id) : undefined;
  if (queue === undefined) return null;
  return isServedAt(queue, draft.directory, draft.atMs)
    ? { texts: queue.texts.greeting, kind: "greeting" }
    : { texts: queue.texts.outOfHours, kind: "out-of-hours" };
}

/** Whether the queue's calendar is open. */
export function isServedAt({ calendarId }: MessageQueue, { calendars }: Directory, atMs: number): boolean {
  const calendar = calendarId === null ? undefined : calendars.get(calendarId);
  return calendar === undefined || isOpen(calendar, atMs);
}
