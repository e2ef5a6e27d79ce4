/**
 * Which events the listeners of a process get at their commit, ahead of the stream that everybody reads. Pure but for
 * its memory.
 *
 * What one process commits of a partition stands in the stream in the order of the commits, and behind everything that
 * earlier owners had to tell. So a partition is *open* while all that is not yet seen in the stream was told already;
 * what is committed then is told at once, and passed over when the stream brings it. It is *closed* at first, after an
 * owner's change, and when too much is under way: then its events come with the stream, and when that brings the last
 * of them, the partition is open again. Under load something is always under way, and all comes with the stream.
 *
 * @module
 */

/** What a commit tells of one partition. */
export interface CommittedEvents {
  readonly partition: number;
  /** Of the owner that committed it. */
  readonly epoch: number;
  /** Rises from commit to commit of an epoch: what is read again after a lost answer is recognised by it. */
  readonly sequence: number;
  readonly ids: readonly string[];
}

interface Source {
  readonly partition: number;
  readonly epoch: number;
  sequence: number;
  isOpen: boolean;
  /** The last event that was not told; with it in the stream, the partition is open. */
  awaited: string | null;
}

/** Each that is told and not yet seen in the stream stands in the place that clients come back with. */
const AHEAD_MAX = 24;

export class EventsAhead {
  readonly #max: number;
  readonly #sources = new Map<number, Source>();
  /** By what partitions wait for. */
  readonly #awaiting = new Map<string, Source>();
  /** What was told, the oldest first, with its number. */
  readonly #told = new Map<string, { readonly number: number; readonly partition: number }>();
  #last = 0;

  /** @param max so many are told and not yet seen in the stream */
  constructor(max = AHEAD_MAX) {
    this.#max = max;
  }

  /** The number of what was told last: whoever listens from now on was told only what has a higher one. */
  get last(): number {
    return this.#last;
  }

  /** Whether all that was told is in the stream. */
  get isEmpty(): boolean {
    return this.#told.size === 0;
  }

  /** What was told after the number `since`, and is not yet seen in the stream. */
  *toldSince(since: number): Iterable<string> {
    for (const [id, { number }] of this.#told) if (number > since) yield id;
  }

  /** Calls `tell` with the index of each that is to be told now, or with none: then they come with the stream. */
  committed({ partition, epoch, sequence, ids }: CommittedEvents, tell: (index: number) => void): void {
    const source = this.#sourceOf(partition, epoch);
    if (sequence <= source.sequence) return;
    source.sequence = sequence;
    if (ids.length === 0) return;
    if (source.isOpen && this.#told.size + ids.length <= this.#max) {
      ids.forEach((id, index) => {
        this.#told.set(id, { number: ++this.#last, partition });
        tell(index);
      });
    } else {
      source.isOpen = false;
      this.#await(source, ids.at(-1)!);
    }
  }

  /** The stream brings an event. Its number, if it was told. */
  streamed(id: string): number | null {
    const told = this.#told.get(id);
    if (told !== undefined) {
      this.#told.delete(id);
      return told.number;
    }
    const source = this.#awaiting.get(id);
    if (source === undefined) return null;
    this.#await(source, null);
    source.isOpen = true;
    // They stand before it, or will never come: the stream was lost.
    for (const [id, { partition }] of this.#told) if (partition === source.partition) this.#told.delete(id);
    return null;
  }

  /** Closes all partitions: somebody begins to listen who was not told what is under way. */
  close(): void {
    for (const source of this.#sources.values()) source.isOpen = false;
  }

  #sourceOf(partition: number, epoch: number): Source {
    const known = this.#sources.get(partition);
    if (known?.epoch === epoch) return known;
    if (known !== undefined) this.#await(known, null);
    const source: Source = { partition, epoch, sequence: -1, isOpen: false, awaited: null };
    this.#sources.set(partition, source);
    return source;
  }

  #await(source: Source, id: string | null): void {
    if (source.awaited !== null) this.#awaiting.delete(source.awaited);
    source.awaited = id;
    if (id !== null) this.#awaiting.set(id, source);
  }
}
