/**
 * What somebody looks for in texts: words, `"words side by side"`, `beginnings*`, and `-without`. All of it must hold;
 * accents and capitals do not count.
 *
 * @module
 */
import { foldWords } from "../rules/fold_words.ts";

/** One part of what is asked for. */
export interface SearchTerm {
  /** As it was written. */
  readonly text: string;
  /** Folded and apart by blanks. */
  readonly words: string;
  /** Whether the last word goes on as it likes. */
  readonly isBeginning: boolean;
  readonly isExcluded: boolean;
}

/** More would only cost time. */
export const SEARCH_TERMS_MAX = 16;

const TERM = /(-?)(?:"([^"]*)"|(\S+))/gu;

/** The parts of `text`; those without a letter or digit are left out. */
export function searchTerms(text: string): SearchTerm[] {
  const terms: SearchTerm[] = [];
  for (const [, minus, phrase, word] of text.matchAll(TERM)) {
    const text = phrase ?? word ?? "";
    const words = foldWords(text);
    if (words === "") continue;
    const isBeginning = word?.endsWith("*") ?? false;
    terms.push({ text, words, isBeginning, isExcluded: minus === "-" });
  }
  return terms;
}

/** A span of a text: UTF-16 units, the end not included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the words that `terms` look for stand in `text`. */
export function highlights(text: string, terms: readonly SearchTerm[]): Span[] {
  const whole = new Set<string>();
  const beginnings: string[] = [];
  for (const { words, isBeginning, isExcluded } of terms) {
    if (isExcluded) continue;
    const parts = words.split(" ");
    if (isBeginning) beginnings.push(parts.pop()!);
    parts.forEach((part) => whole.add(part));
  }
  const spans: Span[] = [];
  // Combining marks belong to the letter before them.
  for (const match of text.matchAll(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu)) {
    const found = foldWords(match[0]).split(" ").some((word) =>
      whole.has(word) || beginnings.some((beginning) => word.startsWith(beginning))
    );
    if (found) spans.push({ start: match.index, end: match.index + match[0].length });
  }
  return spans;
}
