/**
 * Numbers for outbox rows that no log numbers.
 *
 * @module
 */
const NUMBERS_PER_EPOCH = 2 ** 32;

/**
 * Where an owner starts to count: above everything that any former owner used, so that a former one that
 * clears what it published cannot touch a row of this one. Good for two million epochs.
 */
export function firstSequence(epoch: number): number {
  return epoch * NUMBERS_PER_EPOCH;
}
