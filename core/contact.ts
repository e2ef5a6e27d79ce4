/**
 * What is noted of a contact, over all of our numbers: attributes that administrators' systems set and that routing rules
 * ask for, and the language.
 *
 * @module
 */
import { z } from "zod";
import { LanguageSchema } from "./language.ts";
import { storableText } from "./storable_text.ts";

export const AttributeNameSchema = z.string().regex(
  /^[a-z][A-Za-z0-9_.-]{0,63}$/,
  "must be a name of up to 64 of A-Z a-z 0-9 _ . - that begins with a small letter",
);

export const AttributeValueSchema = z.string().min(1).max(200).refine(
  (text) => storableText(text) === text,
  "has a NUL or half of a surrogate pair",
);

/** At once, and of one contact. */
export const ATTRIBUTES_MAX = 50;

export type Attributes = Readonly<Record<string, string>>;

/** A change of what is noted: null takes away. */
export const ContactPatchSchema = z.object({
  attributes: z.record(AttributeNameSchema, AttributeValueSchema.nullable())
    .refine(
      (changed) => Object.keys(changed).length <= ATTRIBUTES_MAX,
      `may name ${ATTRIBUTES_MAX} attributes at once`,
    ).optional()
    .describe("Changes these, and leaves the others as they are; null takes one away"),
  language: LanguageSchema.nullable().optional().describe("What the contact speaks; null: not known"),
}).strict();

export type ContactPatch = z.output<typeof ContactPatchSchema>;

/** What is noted of a contact; of one that nobody knows, nothing. */
export interface ContactNotes {
  readonly attributes: Attributes;
  readonly language: string | null;
}

export const NOTHING_NOTED: ContactNotes = { attributes: {}, language: null };

/** Thrown when a contact would have more attributes than {@link ATTRIBUTES_MAX}. */
export class TooManyAttributesError extends Error {
  override readonly name = "TooManyAttributesError";
}

/**
 * The notes after a change.
 *
 * @throws {TooManyAttributesError}
 */
export function changeNotes(notes: ContactNotes, { attributes, language }: ContactPatch): ContactNotes {
  const merged = Object.entries({ ...notes.attributes, ...attributes })
    .flatMap(([name, value]) => value === null ? [] : [[name, value] as const]);
  if (merged.length > ATTRIBUTES_MAX) {
    throw new TooManyAttributesError(`a contact may have ${ATTRIBUTES_MAX} attributes, not ${merged.length}`);
  }
  return {
    attributes: Object.fromEntries(merged.sort(([a], [b]) => a < b ? -1 : 1)),
    language: language === undefined ? notes.language : language,
  };
}
