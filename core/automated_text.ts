/**
 * Texts that the system writes by itself, by language.
 *
 * @module
 */
import { z } from "zod";
import { LanguageSchema } from "./language.ts";
import { storableText } from "./storable_text.ts";

/** Why it is written; the id of its author, whose kind is `system`. */
export type AutomatedTextKind = "greeting" | "out-of-hours" | "rule";

/** Six segments of GSM 7-bit. */
const TEXT_UNITS_MAX = 918;

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
}).strict();

export type QueueTexts = z.output<typeof QueueTextsSchema>;

/** The text in `language`; else the English one, else the first by the alphabet. */
export function inLanguage(texts: Texts, language: string): string {
  const [first] = Object.keys(texts).sort();
  const text = texts[language] ?? texts.en ?? texts[first ?? ""];
  if (text === undefined) throw new Error("texts without a text");
  return text;
}
