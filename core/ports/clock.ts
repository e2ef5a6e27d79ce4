/**
 * Time as a port, so that what depends on it can be tested with a clock of one's own.
 *
 * @module
 */
export interface Clock {
  /** Wall clock, ms since 1970: for what is stored and shown. May jump. */
  now(): number;
  /** Ms since some fixed moment, never going back, with fractions: for pauses and rates. */
  monotonic(): number;
  /** Calls `run` once, not before `delayMs` have passed; returns the way to prevent it. */
  after(delayMs: number, run: () => void): () => void;
}
