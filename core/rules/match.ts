/**
 * Which rule is the first that fits, and why others do not.
 *
 * @module
 */
import { isOpen } from "../calendar/hours.ts";
import type { Calendar } from "../calendar/calendar.ts";
import type { OwnNumber } from "../channel.ts";
import type { Attributes } from "../contact.ts";
import { foldWords, hasWords } from "./fold_words.ts";
import type { RoutingRule, RuleMatch } from "./rule.ts";

/** A contact's message that is about to open a session. */
export interface Asked {
  /** Ours. */
  readonly number: Pick<OwnNumber, "id" | "number">;
  readonly contact: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Whether there were messages between the two before. */
  readonly isReturning: boolean;
  /** Of the contact. */
  readonly attributes: Attributes;
  /** What the contact speaks: as noted with the contact, else as the text says; null: not known. */
  readonly language: string | null;
}

export interface ConditionResult {
  readonly condition: keyof RuleMatch;
  readonly holds: boolean;
  /** One plain clause. */
  readonly reason: string;
}

/** What every rule is held against, worked out once. */
interface Case extends Asked {
  /** As {@link foldWords} makes it. */
  readonly words: string;
  /** Of the text, what patterns see. */
  readonly head: string;
  readonly calendars: ReadonlyMap<string, Calendar>;
}

interface Condition {
  readonly of: keyof RuleMatch;
  readonly holds: (rule: RoutingRule, asked: Case) => boolean;
  /** Why it holds, or not. */
  readonly tell: (rule: RoutingRule, asked: Case, holds: boolean) => string;
}

/** As long as ten segments or a long chat message: what a rule looks for stands there, or the text is none for a rule. */
const TEXT_UNITS_LOOKED_AT = 1_600;

/** The quick ones first. */
const CONDITIONS: readonly Condition[] = [
  {
    of: "numbers",
    holds: ({ match }, { number }) => match.numbers!.includes(number.id),
    tell: (_rule, { number }, holds) => `${number.number} is ${holds ? "" : "not "}one of its numbers`,
  },
  {
    of: "contact",
    holds: ({ match }, { isReturning }) => (match.contact === "returning") === isReturning,
    tell: (_rule, { isReturning }) =>
      isReturning ? "the contact has written or been written to before" : "the contact is new",
  },
  {
    of: "languages",
    holds: ({ match }, { language }) => language !== null && match.languages!.includes(language),
    tell: ({ match }, { language }, holds) =>
      language === null
        ? "the contact's language is not known"
        : `the contact's language is ${language}${holds ? "" : `, not ${list(match.languages!)}`}`,
  },
  {
    of: "attributes",
    holds: ({ match }, { attributes }) =>
      Object.entries(match.attributes!).every(([name, values]) => hasOneOf(attributes, name, values)),
    tell: ({ match }, { attributes }) => {
      const [name] =
        Object.entries(match.attributes!).find(([name, values]) => !hasOneOf(attributes, name, values)) ?? [];
      if (name === undefined) return `the contact's ${list(Object.keys(match.attributes!))} fit`;
      return !Object.hasOwn(attributes, name)
        ? `the contact has no ${name}`
        : `the contact's ${name} is ${attributes[name]}, not ${list(match.attributes![name]!)}`;
    },
  },
  {
    of: "contactPrefixes",
    holds: ({ match }, { contact }) => match.contactPrefixes!.some((prefix) => contact.startsWith(prefix)),
    tell: ({ match }, { contact }) => {
      const found = match.contactPrefixes!.find((prefix) => contact.startsWith(prefix));
      return found === undefined
        ? `${contact} begins with none of ${list(match.contactPrefixes!)}`
        : `${contact} begins with ${found}`;
    },
  },
  {
    of: "words",
    holds: (rule, { words }) => rule.words.some((word) => hasWords(words, word)),
    tell: (rule, { words }) => {
      const found = rule.match.words!.find((_word, index) => hasWords(words, rule.words[index]!));
      return found === undefined
        ? `the text has none of ${list(rule.match.words!)}`
        : `the text has “${found}”`;
    },
  },
  {
    of: "pattern",
    holds: ({ pattern }, { head }) => pattern!.test(head),
    tell: ({ pattern }, { head }) => {
      const found = pattern!.exec(head)?.[0];
      return found === undefined
        ? "the pattern is not found in the text"
        : `the pattern is found: “${found}”`;
    },
  },
  {
    of: "hours",
    holds: ({ match: { hours } }, { calendars, atMs }) => {
      const calendar = calendars.get(hours!.calendarId);
      return calendar !== undefined && isOpen(calendar, atMs) === (hours!.is === "open");
    },
    tell: ({ match: { hours } }, { calendars, atMs }) => {
      const calendar = calendars.get(hours!.calendarId);
      if (calendar === undefined) return `there is no calendar ${hours!.calendarId}`;
      return `the calendar ${calendar.name} is ${isOpen(calendar, atMs) ? "open" : "closed"}`;
    },
  },
];

/** The first rule of `rules` (which are in order) that is enabled and fits. */
export function firstMatch(
  rules: readonly RoutingRule[],
  asked: Asked,
  calendars: ReadonlyMap<string, Calendar>,
): RoutingRule | null {
  if (rules.length === 0) return null;
  const it = caseOf(asked, calendars);
  return rules.find((rule) =>
    rule.enabled && CONDITIONS.every(({ of, holds }) => rule.match[of] === undefined || holds(rule, it))
  ) ?? null;
}

/** What came of each of the rule's conditions; none for a rule that has none, which always fits. */
export function explain(
  rule: RoutingRule,
  asked: Asked,
  calendars: ReadonlyMap<string, Calendar>,
): readonly ConditionResult[] {
  const it = caseOf(asked, calendars);
  return CONDITIONS.filter(({ of }) => rule.match[of] !== undefined).map(({ of, holds, tell }) => {
    const result = holds(rule, it);
    return { condition: of, holds: result, reason: tell(rule, it, result) };
  });
}

function caseOf(asked: Asked, calendars: ReadonlyMap<string, Calendar>): Case {
  const head = asked.text.slice(0, TEXT_UNITS_LOOKED_AT);
  return { ...asked, head, words: foldWords(head), calendars };
}

function hasOneOf(attributes: Attributes, name: string, values: readonly string[]): boolean {
  const value = Object.hasOwn(attributes, name) ? attributes[name]!.toLowerCase() : null;
  return values.some((one) => one.toLowerCase() === value);
}

/** Shown of a list. */
const LISTED_MAX = 5;

function list(values: readonly string[]): string {
  const shown = values.slice(0, LISTED_MAX).join(", ");
  return values.length > LISTED_MAX ? `${shown} and ${values.length - LISTED_MAX} more` : shown;
}
