/**
 * A routing rule: where a contact's new session goes, before the number's own destination is asked.
 *
 * @module
 */
import { z } from "zod";
import { TextsSchema } from "../automated_text.ts";
import { DestinationSchema } from "../channel.ts";
import { AttributeNameSchema, AttributeValueSchema } from "../contact.ts";
import { SkillsSchema } from "../dispatch/entry.ts";
import { LanguageSchema } from "../language.ts";
import { Pattern, PatternError } from "../pattern.ts";
import { foldWords } from "./fold_words.ts";

const Id = z.string().min(1).max(64);

/** The rules are asked one after the other before a session opens: short patterns keep that short. */
const PATTERN_UNITS_MAX = 200;

const PatternSource = z.string().min(1).max(PATTERN_UNITS_MAX).superRefine((source, context) => {
  try {
    compiled(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    context.addIssue({ code: "custom", message: error.message });
  }
});

function compiled(source: string): Pattern {
  return new Pattern(source, { ignoreCase: true });
}

/** What a rule asks for: all that is given must hold, and of each list one. */
export const RuleMatchSchema = z.object({
  numbers: z.array(Id).min(1).max(1_000).optional().describe("Ids of ours that were written to"),
  contactPrefixes: z.array(z.string().regex(/^\+[1-9]\d{0,14}$/, "must be the beginning of an E.164 number"))
    .min(1).max(1_000).optional().describe("How the contact's number begins, e.g. +34"),
  words: z.array(
    z.string().min(1).max(60).refine((text) => foldWords(text) !== "", "has neither letter nor digit"),
  ).min(1).max(200).optional()
    .describe("Words in the text, whole, whatever their case and accents; several in a row are one"),
  pattern: PatternSource.optional()
    .describe("Regular expression found anywhere in the text, whatever the case"),
  hours: z.object({ calendarId: Id, is: z.enum(["open", "closed"]) }).strict().optional(),
  contact: z.enum(["new", "returning"]).optional().describe(
    "Whether there were messages between this contact and the number before",
  ),
  attributes: z.record(AttributeNameSchema, z.array(AttributeValueSchema).min(1).max(100))
    .refine((names) => Object.keys(names).length > 0, "must name an attribute").optional()
    .describe("Attributes of the contact: each must have one of its values, whatever the case"),
  languages: z.array(LanguageSchema).min(1).max(50).optional().describe(
    "The contact's language: the one noted with the contact, else the one the text is in, where that is clear",
  ),
}).strict();

export const RuleActionSchema = z.object({
  destination: DestinationSchema.optional().describe("Left out: the number's own"),
  language: LanguageSchema.optional().describe(
    "Of the texts that are sent by themselves; left out: the first of the number's opt-out languages",
  ),
  text: TextsSchema.optional().describe("Sent when the session begins, in place of the queue's"),
  priority: z.number().int().min(0).max(9).optional().describe(
    "Place in the waiting line: 0 is first, 9 last; left out: 5",
  ),
  skills: SkillsSchema.optional().describe("What the agent must know, in place of what the queue asks"),
}).strict();

export type RuleMatch = z.output<typeof RuleMatchSchema>;
export type RuleAction = z.output<typeof RuleActionSchema>;

export interface Rule {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  /** The smallest is asked first; among equals the oldest. */
  readonly priority: number;
  readonly match: RuleMatch;
  readonly action: RuleAction;
}

/** A rule with what is worked out from it once, not for every message. */
export interface RoutingRule extends Rule {
  readonly pattern: Pattern | null;
  /** Those of its match, as {@link foldWords} makes them. */
  readonly words: readonly string[];
}

/** The rules in the order in which they are asked. */
export function inOrder(rules: readonly Rule[]): RoutingRule[] {
  return rules
    .toSorted((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    .map((rule) => ({
      ...rule,
      words: (rule.match.words ?? []).map(foldWords),
      pattern: rule.match.pattern === undefined ? null : compiled(rule.match.pattern),
    }));
}
