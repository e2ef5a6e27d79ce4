/**
 * Keeps a server running: one that ends by itself is started again on its port.
 *
 * @module
 */
import type { RunningServer } from "./server.ts";
import { reasonOf } from "./start_error.ts";

export interface SuperviseOptions<S extends RunningServer> {
  /** For messages, e.g. "PostgreSQL". */
  readonly name: string;
  /** Starts it; at a restart on the port it had. */
  readonly start: (port: number | undefined, signal: AbortSignal) => Promise<S>;
  readonly say: (text: string) => void;
  /** Gives up the first start. */
  readonly signal?: AbortSignal | undefined;
}

export interface Supervised<S extends RunningServer> {
  /** The one that runs, or the last one that ran. */
  readonly current: S;
  /** No restarts from here on; resolves when it has ended in good order. */
  stop(): Promise<void>;
  /** No restarts from here on; ends it at once. */
  killNow(): void;
}

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 5_000;
/** One that ran this long has recovered from whatever it was: the next restart is at once again. */
const STEADY_MS = 10_000;

/**
 * Starts a server and watches over it until stopped.
 *
 * @throws what the first start throws; later ones are tried again and again, with pauses up to 5 s
 */
export async function supervise<S extends RunningServer>(
  options: SuperviseOptions<S>,
): Promise<Supervised<S>> {
  const { name, say } = options;
  const ending = new AbortController();
  const firstSignal = options.signal === undefined
    ? ending.signal
    : AbortSignal.any([options.signal, ending.signal]);
  let current = await options.start(undefined, firstSignal);
  const port = current.port;

  const watching = (async () => {
    let pauseMs = 0;
    for (;;) {
      const begin = performance.now();
      const how = await current.exited;
      if (ending.signal.aborted) return;
      say(`${name} ended unexpectedly (${how}); starting it again.`);
      if (performance.now() - begin > STEADY_MS) pauseMs = 0;
      let lastFault = "";
      for (;;) {
        await pause(pauseMs, ending.signal);
        pauseMs = Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, pauseMs * 2));
        if (ending.signal.aborted) return;
        try {
          current = await options.start(port, ending.signal);
          if (ending.signal.aborted) return await current.stop();
          say(`${name} runs again.`);
          break;
        } catch (error) {
          if (ending.signal.aborted) return;
          if (reasonOf(error) !== lastFault) say(`${name} does not start: ${reasonOf(error)} Trying again.`);
          lastFault = reasonOf(error);
        }
      }
    }
  })();

  return {
    get current() {
      return current;
    },
    async stop() {
      ending.abort();
      await current.stop();
      await watching;
    },
    killNow() {
      ending.abort();
      current.killNow();
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
