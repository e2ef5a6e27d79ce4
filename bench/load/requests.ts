/**
 * Requests made ahead, as bytes: what a request costs to write and to sign is then no load on the machine while it is
 * measured.
 *
 * @module
 */

/**
 * A function that makes requests, by its module and name: the load's thread imports it itself. Called with `args`, plain
 * data, it gives a function from a running number, from 0, to a whole request as text.
 */
export interface RequestSource {
  /** Its URL. */
  readonly module: string;
  readonly name: string;
  readonly args: unknown;
}

const CHUNK_BYTES = 4 * 1024 * 1024;
/** UTF-8 takes so many bytes at most for a UTF-16 unit. */
const BYTES_PER_UNIT = 3;
const encoder = new TextEncoder();

export class Requests {
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  readonly #chunkOf: Uint16Array;
  readonly #startOf: Uint32Array;
  readonly #endOf: Uint32Array;

  /** Makes the first `count` at once, and the rest, if they are asked for, when they are. */
  constructor(private readonly make: (index: number) => string, private readonly count: number) {
    this.#chunkOf = new Uint16Array(count);
    this.#startOf = new Uint32Array(count);
    this.#endOf = new Uint32Array(count);
    let filled = CHUNK_BYTES;
    for (let index = 0; index < count; index++) {
      const text = make(index);
      if (filled + text.length * BYTES_PER_UNIT > CHUNK_BYTES) {
        this.#chunks.push(new Uint8Array(Math.max(CHUNK_BYTES, text.length * BYTES_PER_UNIT)));
        filled = 0;
      }
      const { written } = encoder.encodeInto(text, this.#chunks.at(-1)!.subarray(filled));
      this.#chunkOf[index] = this.#chunks.length - 1;
      this.#startOf[index] = filled;
      this.#endOf[index] = filled += written;
    }
  }

  at(index: number): Uint8Array<ArrayBuffer> {
    if (index >= this.count) return encoder.encode(this.make(index));
    return this.#chunks[this.#chunkOf[index]!]!.subarray(this.#startOf[index], this.#endOf[index]);
  }
}
