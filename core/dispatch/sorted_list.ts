/**
 * Items in order, kept in chunks: adding, removing and asking for a place cost a binary search and the move of one
 * chunk, whatever the length. A tree would do as well; this is less code and kinder to memory.
 *
 * @module
 */
const CHUNK_MAX = 256;

export class SortedList<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #chunks: T[][] = [];
  #size = 0;

  /** `compare` is never 0 for two different items; what it looks at may not change while an item is inside. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  first(): T | undefined {
    return this.#chunks[0]?.[0];
  }

  /** Adds an item that is not inside. */
  add(item: T): void {
    this.#size++;
    const at = Math.min(this.#chunkOf(item), this.#chunks.length - 1);
    if (at < 0) {
      this.#chunks.push([item]);
      return;
    }
    const chunk = this.#chunks[at]!;
    chunk.splice(this.#placeIn(chunk, item), 0, item);
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_MAX / 2));
  }

  /** Takes an item out; false when it was not inside. */
  remove(item: T): boolean {
    const at = this.#chunkOf(item);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return false;
    const place = this.#placeIn(chunk, item);
    if (chunk[place] !== item) return false;
    this.#size--;
    if (chunk.length === 1) this.#chunks.splice(at, 1);
    else if (place === 0) chunk.shift();
    else chunk.splice(place, 1);
    return true;
  }

  /** How many come before `item`. */
  rank(item: T): number {
    const at = this.#chunkOf(item);
    let before = 0;
    for (let index = 0; index < at; index++) before += this.#chunks[index]!.length;
    const chunk = this.#chunks[at];
    return chunk === undefined ? before : before + this.#placeIn(chunk, item);
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  /** The first chunk whose last item is not before `item`. */
  #chunkOf(item: T): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#chunks[middle]!.at(-1)!, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first place whose item is not before `item`. */
  #placeIn(chunk: readonly T[], item: T): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(chunk[middle]!, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
