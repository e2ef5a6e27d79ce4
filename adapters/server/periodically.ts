/**
 * Work that comes again and again, one run at a time.
 *
 * @module
 */
export interface PeriodicWork {
  readonly name: string;
  readonly intervalMs: number;
  /** Resolves with true when there is more to do: it follows after the pause that its share of time asks for. */
  readonly run: () => Promise<boolean | void>;
  readonly onError: (name: string, error: Error) => void;
}

/** The share of time that a periodic work may take: a slow run is followed by a longer pause. */
const DUTY = 0.05;

/** Runs `work` every interval, counted from the end of the former run. Returns the way to stop: it waits for a run under way. */
export function periodically(work: PeriodicWork): () => Promise<void> {
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let timer: ReturnType<typeof setTimeout>;
  const schedule = (pauseMs: number) => {
    timer = setTimeout(() => {
      const started = performance.now();
      running = work.run().catch((error) => work.onError(work.name, error as Error)).then((more) => {
        const pauseMs = (performance.now() - started) / DUTY;
        if (!stopped) schedule(more === true ? pauseMs : Math.max(work.intervalMs, pauseMs));
      });
    }, pauseMs);
  };
  schedule(work.intervalMs);
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
