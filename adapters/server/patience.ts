/**
 * Waiting at start for parts that are not there yet.
 *
 * @module
 */
export interface PatienceOptions {
  /** What is waited for, e.g. "the database". */
  readonly what: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** Whether an error is one that waiting cannot cure. */
  readonly isFinal?: (error: Error) => boolean;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Tries `attempt` until it works; says so once, and again every tenth time. Rejects when `signal` is aborted. */
export async function patiently<T>(options: PatienceOptions, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    options.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (options.isFinal?.(error as Error)) throw error;
      if (tries === 1 || tries % 10 === 0) {
        options.say(`waiting for ${options.what}: ${(error as Error).message || String(error)}`);
      }
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 8));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
