/**
 * What became of each generated message and when, in 21 bytes: the rest can be made again from its sequence.
 *
 * @module
 */

export const FATES = ["unsent", "accepted", "refused", "broken"] as const;
/** `broken`: no answer came, so nobody knows. */
export type Fate = (typeof FATES)[number];

const START = 65_536;

export class SentMessages {
  #fates = new Uint8Array(START);
  #conversations = new Uint32Array(START);
  #sentMs = new Float64Array(START);
  #answeredMs = new Float64Array(START);
  #last = 0;

  /** The highest sequence given out, counted from 1. */
  get last(): number {
    return this.#last;
  }

  /** Gives out the next sequence, for a message of `conversation`. */
  next(conversation: number): number {
    const sequence = ++this.#last;
    if (sequence >= this.#fates.length) {
      const length = this.#fates.length * 2;
      this.#fates = copied(this.#fates, new Uint8Array(length));
      this.#conversations = copied(this.#conversations, new Uint32Array(length));
      this.#sentMs = copied(this.#sentMs, new Float64Array(length));
      this.#answeredMs = copied(this.#answeredMs, new Float64Array(length));
    }
    this.#conversations[sequence] = conversation;
    return sequence;
  }

  /** Once accepted, a message stays so whatever its copies are told. */
  settle(sequence: number, fate: Fate): void {
    if (FATES[this.#fates[sequence]!] !== "accepted") this.#fates[sequence] = FATES.indexOf(fate);
  }

  /** It was offered for the first time, ms since 1970. */
  offered(sequence: number, atMs: number): void {
    this.#sentMs[sequence] ||= atMs;
  }

  /** It was answered 2xx, ms since 1970; the first answer counts. */
  answered(sequence: number, atMs: number): void {
    this.#answeredMs[sequence] ||= atMs;
  }

  /** When it was first offered and first answered 2xx; null: never. */
  times(sequence: number): { readonly sentMs: number; readonly answeredMs: number | null } {
    return { sentMs: this.#sentMs[sequence]!, answeredMs: this.#answeredMs[sequence] || null };
  }

  fate(sequence: number): Fate {
    return FATES[this.#fates[sequence] ?? 0]!;
  }

  conversation(sequence: number): number {
    return this.#conversations[sequence]!;
  }
}

function copied<T extends Uint8Array | Uint32Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
