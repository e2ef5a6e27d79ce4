/**
 * The send lanes that are ours as far as we know: the epochs that fence our statements, and the places of what they
 * publish.
 *
 * @module
 */
import { firstSequence } from "../outbox_sequence.ts";
import type { OwnedPartition } from "../ports/partition_store.ts";
import type { LaneFence } from "../ports/send_store.ts";

export class OwnedLanes {
  readonly #epochs = new Map<number, number>();
  readonly #sequences = new Map<number, number>();

  get size(): number {
    return this.#epochs.size;
  }

  list(): number[] {
    return [...this.#epochs.keys()];
  }

  add(lanes: readonly OwnedPartition[]): void {
    for (const { partition, epoch } of lanes) {
      this.#epochs.set(partition, epoch);
      this.#sequences.set(partition, firstSequence(epoch));
    }
  }

  remove(lanes: readonly number[]): void {
    for (const lane of lanes) this.#epochs.delete(lane);
  }

  /** The fencing token of a lane; -1, which no lane has, when it is not ours. */
  epochOf(lane: number): number {
    return this.#epochs.get(lane) ?? -1;
  }

  /** The fences of those lanes, each once. */
  fencesOf(lanes: Iterable<number>): LaneFence[] {
    return [...new Set(lanes)].map((lane) => ({ lane, epoch: this.epochOf(lane) }));
  }

  /** Where the next outbox row of the lane goes. */
  nextSequence(lane: number): number {
    const sequence = (this.#sequences.get(lane) ?? 0) + 1;
    this.#sequences.set(lane, sequence);
    return sequence;
  }

  /**
   * Removes those that a statement with these fences did not find `held`, and gives them. A lane that was gained again since
   * the statement went out is ours: its answer speaks of the former epoch.
   */
  removeLost(fences: readonly LaneFence[], held: ReadonlySet<number>): number[] {
    const lost = fences.filter(({ lane, epoch }) => !held.has(lane) && this.#epochs.get(lane) === epoch)
      .map(({ lane }) => lane);
    this.remove(lost);
    return lost;
  }
}
