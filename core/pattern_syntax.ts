/**
 * The syntax of patterns: the part of JavaScript's regular expressions that can be matched in linear time.
 *
 * Left out are references to earlier groups and looks ahead and behind. `(?i)` at the beginning makes the whole
 * pattern ignore case.
 *
 * @module
 */

export type Assertion = "start" | "end" | "word" | "not-word";

export type Node =
  | { readonly kind: "empty" }
  | { readonly kind: "character"; readonly has: (code: number) => boolean }
  | { readonly kind: "assertion"; readonly what: Assertion }
  | { readonly kind: "capture"; readonly index: number; readonly body: Node }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "alternatives"; readonly parts: readonly Node[] }
  | {
    readonly kind: "repeat";
    readonly body: Node;
    readonly min: number;
    /** Null: without end. */
    readonly max: number | null;
    readonly greedy: boolean;
  };

export interface Syntax {
  readonly root: Node;
  /** Groups that capture, counted from 1. */
  readonly captures: number;
}

/** Thrown for a pattern that is none; the message completes "the pattern …". */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

type CharacterTest = (code: number) => boolean;

const REPEAT_MAX = 200;
/** Groups within groups. */
const DEPTH_MAX = 50;

const isDigit: CharacterTest = (code) => code >= 0x30 && code <= 0x39;
export const isWord: CharacterTest = (code) =>
  isDigit(code) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || (code >= 0x61 && code <= 0x7a);
const isSpace: CharacterTest = (code) => /\s/u.test(String.fromCodePoint(code));
const isLine: CharacterTest = (code) => code !== 10 && code !== 13 && code !== 0x2028 && code !== 0x2029;

const CLASSES: Readonly<Record<string, CharacterTest>> = {
  d: isDigit,
  D: (code) => !isDigit(code),
  w: isWord,
  W: (code) => !isWord(code),
  s: isSpace,
  S: (code) => !isSpace(code),
};
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, "0": 0 };

function otherCases(code: number): readonly number[] {
  const character = String.fromCodePoint(code);
  return [character.toLowerCase(), character.toUpperCase()]
    .filter((other) => [...other].length === 1).map((other) => other.codePointAt(0)!);
}

function ignoringCase(has: CharacterTest): CharacterTest {
  return (code) => has(code) || otherCases(code).some(has);
}

class Reader {
  readonly #characters: readonly string[];
  readonly #ignoreCase: boolean;
  #at = 0;
  #depth = 0;
  captures = 0;

  constructor(source: string, ignoreCase: boolean) {
    this.#characters = [...source];
    this.#ignoreCase = ignoreCase;
  }

  read(): Node {
    const root = this.#alternatives();
    if (this.#at < this.#characters.length) throw new PatternError("has a ) without its (");
    return root;
  }

  #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(text: string): boolean {
    if (this.#characters.slice(this.#at, this.#at + text.length).join("") !== text) return false;
    this.#at += text.length;
    return true;
  }

  #alternatives(): Node {
    if (++this.#depth > DEPTH_MAX) throw new PatternError(`has more than ${DEPTH_MAX} groups within groups`);
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { kind: "alternatives", parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    for (let next = this.#next(); next !== undefined && next !== "|" && next !== ")"; next = this.#next()) {
      parts.push(this.#repeated());
    }
    return parts.length === 0
      ? { kind: "empty" }
      : parts.length === 1
      ? parts[0]!
      : { kind: "sequence", parts };
  }

  #repeated(): Node {
    const body = this.#atom();
    const [min, max] = this.#times() ?? [];
    if (min === undefined || max === undefined) return body;
    if (body.kind === "assertion") throw new PatternError("repeats a place, which is no character");
    const greedy = !this.#take("?");
    if (/^[*+?{]$/.test(this.#next() ?? "")) throw new PatternError("has two repetitions in a row");
    return { kind: "repeat", body, min, max, greedy };
  }

  #times(): readonly [min: number, max: number | null] | undefined {
    if (this.#take("*")) return [0, null];
    if (this.#take("+")) return [1, null];
    if (this.#take("?")) return [0, 1];
    if (!this.#take("{")) return undefined;
    const end = this.#characters.indexOf("}", this.#at);
    const text = end === -1 ? "" : this.#characters.slice(this.#at, end).join("");
    const [, least, comma, most] = /^(\d{1,4})(,)?(\d{1,4})?$/.exec(text) ?? [];
    if (least === undefined) {
      throw new PatternError("has a { that is no repetition; write \\{ for the character");
    }
    const min = Number(least);
    const max = most === undefined ? (comma === undefined ? min : null) : Number(most);
    if (min > REPEAT_MAX || (max ?? 0) > REPEAT_MAX) {
      throw new PatternError(`repeats more than ${REPEAT_MAX} times`);
    }
    if (max !== null && max < min) throw new PatternError("has a repetition that ends before it begins");
    this.#at = end + 1;
    return [min, max];
  }

  #atom(): Node {
    const character = this.#characters[this.#at++]!;
    switch (character) {
      case "^":
        return { kind: "assertion", what: "start" };
      case "$":
        return { kind: "assertion", what: "end" };
      case ".":
        return { kind: "character", has: isLine };
      case "(":
        return this.#group();
      case "[":
        return { kind: "character", has: this.#class() };
      case "\\":
        if (this.#take("b")) return { kind: "assertion", what: "word" };
        if (this.#take("B")) return { kind: "assertion", what: "not-word" };
        return { kind: "character", has: this.#cased(this.#escaped()) };
      case "*":
      case "+":
      case "?":
        throw new PatternError(`has a ${character} that repeats nothing`);
      case "{":
      case "}":
      case "]":
        throw new PatternError(`has a ${character} by itself; write \\${character} for the character`);
      default:
        return { kind: "character", has: this.#cased(character.codePointAt(0)!) };
    }
  }

  #cased(what: number | CharacterTest): CharacterTest {
    if (typeof what === "function") return what;
    const has = (code: number) => code === what;
    if (!this.#ignoreCase) return has;
    const codes = new Set([what, ...otherCases(what)]);
    return ignoringCase((code) => codes.has(code));
  }

  #group(): Node {
    let index: number | null = null;
    if (this.#take("?")) {
      if (!this.#take(":")) {
        throw new PatternError("has a group that looks ahead or behind or has a name: only (?: is known");
      }
    } else index = ++this.captures;
    const body = this.#alternatives();
    if (!this.#take(")")) throw new PatternError("has a ( without its )");
    return index === null ? body : { kind: "capture", index, body };
  }

  /** What follows a backslash: a class of characters, or one character's code. */
  #escaped(): number | CharacterTest {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw new PatternError("ends with a backslash");
    const known = CLASSES[character];
    if (known !== undefined) return known;
    const control = CONTROLS[character];
    if (control !== undefined) return control;
    if (character === "x") return this.#hex(2);
    if (character === "u") return this.#hex(4);
    if (/[0-9A-Za-z]/.test(character)) throw new PatternError(`has \\${character}, which is not known here`);
    return character.codePointAt(0)!;
  }

  #hex(digits: number): number {
    const text = this.#characters.slice(this.#at, this.#at + digits).join("");
    if (text.length !== digits || !/^[0-9A-Fa-f]+$/.test(text)) {
      throw new PatternError(`has a backslash with too few of its ${digits} hex digits`);
    }
    this.#at += digits;
    return parseInt(text, 16);
  }

  #class(): CharacterTest {
    const negated = this.#take("^");
    const tests: CharacterTest[] = [];
    for (;;) {
      if (this.#next() === undefined) throw new PatternError("has a [ without its ]");
      if (this.#take("]")) break;
      const from = this.#member();
      const isRange = this.#next() === "-" && !["]", undefined].includes(this.#characters[this.#at + 1]);
      if (!isRange) {
        tests.push(typeof from === "function" ? from : (code) => code === from);
        continue;
      }
      this.#at++;
      const to = this.#member();
      if (typeof from === "function" || typeof to === "function" || to < from) {
        throw new PatternError("has a range of characters that ends before it begins");
      }
      tests.push((code) => code >= from && code <= to);
    }
    const any: CharacterTest = (code) => tests.some((has) => has(code));
    const has = this.#ignoreCase ? ignoringCase(any) : any;
    return negated ? (code) => !has(code) : has;
  }

  #member(): number | CharacterTest {
    if (this.#take("\\")) return this.#take("b") ? 8 : this.#escaped();
    const character = this.#characters[this.#at++];
    if (character === undefined) throw new PatternError("has a [ without its ]");
    return character.codePointAt(0)!;
  }
}

/**
 * Takes `source` apart.
 *
 * @throws {PatternError}
 */
export function parsePattern(source: string, ignoreCase: boolean): Syntax {
  const marked = source.startsWith("(?i)");
  const reader = new Reader(marked ? source.slice(4) : source, ignoreCase || marked);
  return { root: reader.read(), captures: reader.captures };
}
