/**
 * Patterns that people write in settings, matched in time linear in the text whatever they are: all the ways in
 * which a pattern can go on are followed at once, character by character (Thompson 1968), so that none is ever
 * tried again. JavaScript's own `RegExp` can take for ever on `(a+)+b`.
 *
 * @module
 */
import { type Assertion, isWord, type Node, parsePattern, PatternError } from "./pattern_syntax.ts";

export { PatternError };

type Instruction =
  | { readonly kind: "character"; readonly has: (code: number) => boolean }
  | { readonly kind: "assertion"; readonly what: Assertion }
  /** Goes on at both places, rather at `first`. */
  | { readonly kind: "fork"; first: number; second: number }
  | { readonly kind: "jump"; to: number }
  | { readonly kind: "save"; readonly slot: number }
  | { readonly kind: "match" };

/** With it, the longest look costs 4 million steps on 8,192 characters: below a tenth of a second. */
const INSTRUCTIONS_MAX = 500;

/** A way that the match can still go. */
interface Thread {
  readonly at: number;
  /** Beginnings and ends of the groups, UTF-16 units; -1 where there is none. */
  readonly slots: readonly number[];
}

/** What matched: the whole, then the groups; undefined for a group that has no part in it. */
export type PatternMatch = readonly [string, ...(string | undefined)[]];

export class Pattern {
  readonly #program: Instruction[] = [];
  readonly #slots: number;

  /**
   * Reads a pattern.
   *
   * @throws {PatternError} for what is none, looks ahead or behind, refers to a group, or is too large.
   */
  constructor(source: string, options: { readonly ignoreCase?: boolean } = {}) {
    const { root, captures } = parsePattern(source, options.ignoreCase ?? false);
    this.#slots = 2 * (captures + 1);
    this.#emit({ kind: "save", slot: 0 });
    this.#compile(root);
    this.#emit({ kind: "save", slot: 1 });
    this.#emit({ kind: "match" });
  }

  /** Whether it is found anywhere in `text`. */
  test(text: string): boolean {
    return this.exec(text) !== null;
  }

  /** The first place in `text` where it is found. */
  exec(text: string): PatternMatch | null {
    const slots = this.#run(text);
    if (slots === null) return null;
    const groups = Array.from({ length: this.#slots / 2 }, (_, index) => {
      const [from, to] = [slots[2 * index]!, slots[2 * index + 1]!];
      return from === -1 || to === -1 ? undefined : text.slice(from, to);
    });
    return groups as unknown as PatternMatch;
  }

  /** `text` with the first match replaced; `$1` … `$9` and `$0` in `by` stand for the groups and the whole. */
  replace(text: string, by: string): string {
    const slots = this.#run(text);
    if (slots === null) return text;
    const put = by.replace(/\$([0-9])/g, (_, digit: string) => {
      const [from, to] = [slots[2 * Number(digit)] ?? -1, slots[2 * Number(digit) + 1] ?? -1];
      return from === -1 || to === -1 ? "" : text.slice(from, to);
    });
    return text.slice(0, slots[0]) + put + text.slice(slots[1]);
  }

  #emit(instruction: Instruction): number {
    if (this.#program.length >= INSTRUCTIONS_MAX) throw new PatternError("is too large");
    return this.#program.push(instruction) - 1;
  }

  #compile(node: Node): void {
    switch (node.kind) {
      case "empty":
        return;
      case "character":
      case "assertion":
        this.#emit(node);
        return;
      case "capture":
        this.#emit({ kind: "save", slot: 2 * node.index });
        this.#compile(node.body);
        this.#emit({ kind: "save", slot: 2 * node.index + 1 });
        return;
      case "sequence":
        for (const part of node.parts) this.#compile(part);
        return;
      case "alternatives":
        return this.#compileAlternatives(node.parts);
      case "repeat":
        return this.#compileRepeat(node);
    }
  }

  #compileAlternatives(parts: readonly Node[]): void {
    const ends = parts.map((part, index) => {
      const fork = index < parts.length - 1 ? this.#fork(true) : null;
      this.#compile(part);
      const end = fork === null ? null : this.#jump();
      fork?.leave(this.#program.length);
      return end;
    });
    for (const end of ends) if (end !== null) end.to = this.#program.length;
  }

  #compileRepeat({ body, min, max, greedy }: Extract<Node, { kind: "repeat" }>): void {
    for (let time = 0; time < min; time++) this.#compile(body);
    if (max === null) {
      const start = this.#program.length;
      const fork = this.#fork(greedy);
      this.#compile(body);
      this.#jump().to = start;
      return fork.leave(this.#program.length);
    }
    const forks = Array.from({ length: max - min }, () => {
      const fork = this.#fork(greedy);
      this.#compile(body);
      return fork;
    });
    for (const fork of forks) fork.leave(this.#program.length);
  }

  /** Either goes on right behind the fork or leaves to a place still to be named; `stay`: the former rather. */
  #fork(stay: boolean): { leave(to: number): void } {
    const fork = { kind: "fork" as const, first: 0, second: 0 };
    const next = this.#emit(fork) + 1;
    if (stay) fork.first = next;
    else fork.second = next;
    return {
      leave: (to) => {
        if (stay) fork.second = to;
        else fork.first = to;
      },
    };
  }

  #jump(): { to: number } {
    const jump = { kind: "jump" as const, to: 0 };
    this.#emit(jump);
    return jump;
  }

  /** The slots of the first match, or null. */
  #run(text: string): readonly number[] | null {
    let threads: Thread[] = [];
    let found: readonly number[] | null = null;
    const none = new Array<number>(this.#slots).fill(-1);
    for (let position = 0, before = -1;;) {
      const code = position < text.length ? text.codePointAt(position)! : -1;
      const seen = new Set<number>();
      const here: Thread[] = [];
      const place = { position, before, code };
      for (const { at, slots } of threads) this.#follow(here, seen, at, slots, place);
      if (found === null) this.#follow(here, seen, 0, none, place);
      threads = [];
      for (const thread of here) {
        const instruction = this.#program[thread.at]!;
        if (instruction.kind === "match") {
          found = thread.slots;
          // What comes after it in the list is wanted less.
          break;
        }
        if (instruction.kind === "character" && code !== -1 && instruction.has(code)) {
          threads.push({ at: thread.at + 1, slots: thread.slots });
        }
      }
      if (code === -1 || (found !== null && threads.length === 0)) return found;
      position += code > 0xffff ? 2 : 1;
      before = code;
    }
  }

  /** Adds to `here` every instruction that reads a character, or ends, and is reached from `at` without reading. */
  #follow(
    here: Thread[],
    seen: Set<number>,
    at: number,
    slots: readonly number[],
    place: { readonly position: number; readonly before: number; readonly code: number },
  ): void {
    if (seen.has(at)) return;
    seen.add(at);
    const instruction = this.#program[at]!;
    switch (instruction.kind) {
      case "jump":
        return this.#follow(here, seen, instruction.to, slots, place);
      case "fork":
        this.#follow(here, seen, instruction.first, slots, place);
        return this.#follow(here, seen, instruction.second, slots, place);
      case "save":
        return this.#follow(here, seen, at + 1, slots.with(instruction.slot, place.position), place);
      case "assertion":
        if (holds(instruction.what, place)) this.#follow(here, seen, at + 1, slots, place);
        return;
      default:
        here.push({ at, slots });
    }
  }
}

function holds(
  what: Assertion,
  { before, code }: { readonly before: number; readonly code: number },
): boolean {
  switch (what) {
    case "start":
      return before === -1;
    case "end":
      return code === -1;
    case "word":
      return isWord(before) !== isWord(code);
    case "not-word":
      return isWord(before) === isWord(code);
  }
}
