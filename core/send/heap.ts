/**
 * A binary heap whose items can be taken out from anywhere.
 *
 * @module
 */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #places = new Map<T, number>();
  readonly #before: (a: T, b: T) => boolean;

  /** `before` says whether `a` comes before `b`; what it looks at may not change while an item is inside. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  has(item: T): boolean {
    return this.#places.has(item);
  }

  /** Adds an item that is not inside. */
  push(item: T): void {
    this.#items.push(item);
    this.#places.set(item, this.#items.length - 1);
    this.#up(this.#items.length - 1);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes the item out, if it is inside. */
  remove(item: T): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#places.delete(item);
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#items[place] = last;
    this.#places.set(last, place);
    this.#up(place);
    this.#down(this.#places.get(last)!);
  }

  #up(place: number): void {
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#before(this.#items[place]!, this.#items[parent]!)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  #down(place: number): void {
    for (;;) {
      const left = 2 * place + 1;
      if (left >= this.#items.length) return;
      const right = left + 1;
      const child = right < this.#items.length && this.#before(this.#items[right]!, this.#items[left]!)
        ? right
        : left;
      if (!this.#before(this.#items[child]!, this.#items[place]!)) return;
      this.#swap(place, child);
      place = child;
    }
  }

  #swap(a: number, b: number): void {
    const itemA = this.#items[a]!;
    const itemB = this.#items[b]!;
    this.#items[a] = itemB;
    this.#items[b] = itemA;
    this.#places.set(itemB, a);
    this.#places.set(itemA, b);
  }
}
