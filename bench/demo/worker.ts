/**
 * Someone who works through the API: hears events, thinks for a moment, acts.
 *
 * @module
 */
import { type ApiClient, ApiProblem } from "../api_client.ts";
import { pause, seededRandom } from "../simulator/clock.ts";
import { type DemoEvent, listenToEvents } from "./event_stream.ts";

export interface WorkerOptions {
  readonly api: ApiClient;
  /** What to do about an event; runs beside others. */
  readonly onEvent: (event: DemoEvent, worker: Worker) => Promise<void>;
  /** Told of refusals that are not part of the play. */
  readonly onFault: (error: unknown) => void;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Losing an offer to a colleague, or coming after a close, is daily work. */
const EXPECTED = [403, 404, 409];

export class Worker {
  readonly #options: WorkerOptions;
  readonly #random: () => number;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** Works until the signal; resolves when the last thing under way is done. `onOpen`: it listens. */
  async run(onOpen: () => void): Promise<void> {
    const { api, onEvent, onFault, signal } = this.#options;
    await listenToEvents({
      url: api.url,
      key: api.key,
      signal,
      onOpen,
      onEvent: (event) => {
        const task: Promise<void> = onEvent(event, this).catch((error) => {
          if (!signal.aborted && !(error instanceof ApiProblem && EXPECTED.includes(error.status))) {
            onFault(error);
          }
        }).finally(() => this.#underWay.delete(task));
        this.#underWay.add(task);
      },
    });
    await Promise.all(this.#underWay);
  }

  /** Waits between `leastMs` and `mostMs`; false when it is time to stop. */
  async think(leastMs: number, mostMs: number): Promise<boolean> {
    await pause(leastMs + (mostMs - leastMs) * this.#random(), this.#options.signal);
    return !this.#options.signal.aborted;
  }

  /** Whether something that happens with this chance happens now. */
  chance(share: number): boolean {
    return this.#random() < share;
  }

  /** One of `choices`. */
  pick(choices: readonly string[]): string {
    return choices[Math.floor(this.#random() * choices.length)]!;
  }
}
