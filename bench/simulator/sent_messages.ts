/**
 * What became of each generated message, in five bytes: the rest can be made again from its sequence.
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
  #last = 0;

  /** The highest sequence given out, counted from 1. */
  get last(): number {
    return this.#last;
  }

  /** Gives out the next sequence, for a message of `conversation`. */
  next(conversation: number): number {
    const sequence = ++this.#last;
    if (sequence >= this.#fates.length) {
      const fates = new Uint8Array(this.#fates.length * 2);
      fates.set(this.#fates);
      const conversations = new Uint32Array(fates.length);
      conversations.set(this.#conversations);
      this.#fates = fates;
      this.#conversations = conversations;
    }
    this.#conversations[sequence] = conversation;
    return sequence;
  }

  /** Once accepted, a message stays so whatever its copies are told. */
  settle(sequence: number, fate: Fate): void {
    if (FATES[this.#fates[sequence]!] !== "accepted") this.#fates[sequence] = FATES.indexOf(fate);
  }

  fate(sequence: number): Fate {
    return FATES[this.#fates[sequence] ?? 0]!;
  }

  conversation(sequence: number): number {
    return this.#conversations[sequence]!;
  }
}
