/**
 * Texts that the system writes by itself, by language.
 *
 * @module
 */
import { z } from "zod";
import { LanguageSchema } from "./language.ts";
import { storableText } from "./storable_text.ts";

/** Why it is written; the id of its author, whose kind is `system`. */
export type AutomatedTextKind =
  | "greeting"
  | "out-of-hours"
  | "rule"
  | "waiting"
  | "queue-full"
  | "joined"
  | "closed"
  | "auto-reply"
  | "call-closing"
  | "call-auto-reply";

/** Those about the waiting line. */
export const LINE_TEXTS = ["waiting", "queue-full"] as const;

/** Six segments of GSM 7-bit; a text that needs UCS-2 may have as many UTF-16 units, in more segments. */
export const TEXT_UNITS_MAX = 918;

export const TextsSchema = z.record(
  LanguageSchema,
  z.string().min(1).max(TEXT_UNITS_MAX).refine(
    (text) => storableText(text) === text,
    "has a NUL or half of a surrogate pair",
  ),
).refine((texts) => Object.keys(texts).length > 0, "must have a text in some language");

/** At least one text, by language. */
export type Texts = z.output<typeof TextsSchema>;

/** What a queue says by itself. */
export const QueueTextsSchema = z.object({
  greeting: TextsSchema.optional().describe("To a contact whose session begins, while the queue is open"),
  outOfHours: TextsSchema.optional().describe("The same while the queue's calendar is closed"),
  waiting: TextsSchema.optional().describe(
    "To a contact who waits; {position} is the place in the line, {minutes} the estimated wait; left out while nothing is known of it",
  ),
  queueFull: TextsSchema.optional().describe("To a contact for whom there is no place in the line"),
  joined: TextsSchema.optional().describe("When an agent takes the session; {agent} is the agent's name"),
  closed: TextsSchema.optional().describe("When an agent, a platform or the API closes the session"),
  autoReply: z.object({
    withinSeconds: z.number().int().min(1).max(604_800).describe("After the session was closed"),
    text: TextsSchema,
  }).strict().optional().describe(
    "To the first message after a close: it is answered and opens no session. A further one opens one",
  ),
}).strict();

export type QueueTexts = z.output<typeof QueueTextsSchema>;

/** Puts values for `{name}`; null where it names one that is not known now. Other braces stay as they are. */
export function filledIn(
  text: string,
  values: Readonly<Record<string, string | number | undefined>>,
): string | null {
  let isKnown = true;
  const filled = text.replace(/\{([a-z]+)\}/g, (whole, name: string) => {
    if (!Object.hasOwn(values, name)) return whole;
    const value = values[name];
    if (value === undefined) isKnown = false;
    return String(value);
  });
  return isKnown ? filled : null;
}

/** The text in `language`; else the English one, else the first by the alphabet. */
export function inLanguage(texts: Texts, language: string): string {
  const [first] = Object.keys(texts).sort();
  const text = texts[language] ?? texts.en ?? texts[first ?? ""];
  if (text === undefined) throw new Error("texts without a text");
  return text;
}
