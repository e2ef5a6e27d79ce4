/**
 * Where a contact's new session goes, and what the contact is told by itself.
 *
 * @module
 */
import { type AutomatedTextKind, inLanguage } from "../core/automated_text.ts";
import { isOpen } from "../core/calendar/hours.ts";
import type { Destination } from "../core/channel.ts";
import type { Directory, MessageQueue } from "../core/directory.ts";
import { DEFAULT_OPT_OUT } from "../core/opt_out/settings.ts";
import { decideRoute } from "../core/rules/decide.ts";
import type { RoutingRule } from "../core/rules/rule.ts";
import type { Draft } from "./draft.ts";
import type { InboundContent } from "./fragments.ts";

/**
 * Opens a session where the first rule that fits leads to, or else the number; returns what is left to do once the
 * message is filed: to say what is said by itself.
 */
export function openForContact(draft: Draft, content: InboundContent): () => void {
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
  draft.open(
    destination,
    "contact",
    rule === null ? { kind: "number" } : { kind: "rule", id: rule.id, name: rule.name },
  );
  const said = automatedText(draft, rule, destination);
  return () => {
    if (said !== null) draft.addAutomatedText(said.text, said.kind);
  };
}

interface Said {
  readonly text: string;
  readonly kind: AutomatedTextKind;
}

/** One text for a session at most: the rule's, or else the queue's. */
function automatedText(draft: Draft, rule: RoutingRule | null, destination: Destination | null): Said | null {
  // The gate would stop it all the same; this keeps the conversation free of what was never sent.
  if (draft.isOptedOut) return null;
  const language = rule?.action.language ?? (draft.number.optOut ?? DEFAULT_OPT_OUT).languages[0] ?? "en";
  if (rule?.action.text) return { text: inLanguage(rule.action.text, language), kind: "rule" };
  const queue = destination?.kind === "queue" ? draft.directory.queues.get(destination.id) : undefined;
  if (queue === undefined) return null;
  const isServed = isServedAt(queue, draft.directory, draft.atMs);
  const texts = isServed ? queue.texts.greeting : queue.texts.outOfHours;
  if (texts === undefined) return null;
  return { text: inLanguage(texts, language), kind: isServed ? "greeting" : "out-of-hours" };
}

function isServedAt({ calendarId }: MessageQueue, { calendars }: Directory, atMs: number): boolean {
  const calendar = calendarId === null ? undefined : calendars.get(calendarId);
  return calendar === undefined || isOpen(calendar, atMs);
}
