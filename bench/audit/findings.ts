/**
 * What a check finds: by kind, so that a thousand of one kind do not hide one of another.
 *
 * @module
 */

/** Examples kept of each kind; the count tells of the rest. */
const SHOWN_MAX = 5;

export interface Group {
  /** What is wrong, in words. */
  readonly what: string;
  readonly count: number;
  /** The first ones. */
  readonly examples: readonly string[];
}

export class Findings {
  readonly #faults = new Map<string, { count: number; examples: string[] }>();
  readonly #notes = new Map<string, { count: number; examples: string[] }>();
  /** How many things were looked at: a check that looked at none proves nothing. */
  looked = 0;

  /** A promise that was broken. */
  fault(what: string, example: string): void {
    add(this.#faults, what, example);
  }

  /** Something that the promises allow, and that whoever reads the report should know. */
  note(what: string, example: string): void {
    add(this.#notes, what, example);
  }

  get faults(): Group[] {
    return groups(this.#faults);
  }

  get notes(): Group[] {
    return groups(this.#notes);
  }
}

/** One line: `3 stored twice: a, b, c`. */
export function groupText({ what, count, examples }: Group): string {
  return `${count} ${what}: ${examples.join(", ")}${count > examples.length ? ", …" : ""}`;
}

function add(kinds: Map<string, { count: number; examples: string[] }>, what: string, example: string): void {
  let kind = kinds.get(what);
  if (kind === undefined) kinds.set(what, kind = { count: 0, examples: [] });
  kind.count++;
  if (kind.examples.length < SHOWN_MAX) kind.examples.push(example);
}

function groups(kinds: Map<string, { count: number; examples: string[] }>): Group[] {
  return [...kinds].map(([what, { count, examples }]) => ({ what, count, examples }));
}
