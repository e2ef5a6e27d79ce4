/**
 * The highest rate that is kept up: looked for from both sides, then held for the whole time.
 *
 * @module
 */
import { isSustained, runTrial, type Trial, type TrialOptions } from "./trial.ts";

export interface TopRateOptions extends Omit<TrialOptions, "rateMps" | "seconds"> {
  /** How long the rate must be kept up in the end. */
  readonly seconds: number;
  /** Found by an earlier run: then only a little above it is looked for, without overload. */
  readonly hintMps?: number | undefined;
  readonly say: (text: string) => void;
}

export interface TopRate {
  /** As fast as the connections allow; null where there was a hint. */
  readonly overload: Trial | null;
  /** The whole time at the highest rate that was kept up; null when none was. */
  readonly found: Trial | null;
  /** The last one that was tried. */
  readonly last: Trial;
}

const OVERLOAD_SECONDS_MAX = 8;
const PROBE_SECONDS_MAX = 8;
const HINTED_PROBE_SECONDS = 5;
/** The search ends when the rate that is kept up and the one that is not are as near as this. */
const NEAR = 1.08;
const PROBES_MAX = 8;
const DOWN = 0.88;
/** What was not kept up over the whole time is followed by what it did receive, but by no more and no less than this. */
const HOLD_DOWN = { least: 0.8, most: 0.95 };
const HOLDS_MAX = 5;

/**
 * Between what was applied and what was accepted under overload: a system that accepts faster than it applies is held
 * up by its own accepting, and keeps up more than it does under overload.
 */
export async function findTopRate(options: TopRateOptions): Promise<TopRate> {
  const { say, seconds } = options;
  const trial = async (rateMps: number, probeSeconds: number) => {
    const trial = await runTrial({ ...options, rateMps, seconds: probeSeconds });
    const kept = isSustained(trial);
    say(
      `${mps(rateMps)} for ${probeSeconds} s: ${kept ? "kept up" : "not kept up"}, ` +
        `accepted ${mps(trial.accept.acceptedMps)}, p99 to the event ${trial.toEvent.p99Ms.toFixed(0)} ms`,
    );
    return { trial, kept };
  };
  const { overload, search } = await startOf(options);
  const probeSeconds = Math.min(overload === null ? HINTED_PROBE_SECONDS : PROBE_SECONDS_MAX, seconds);
  for (let probe = 0; probe < PROBES_MAX && !search.near; probe++) {
    const { kept } = await trial(Math.round(search.next), probeSeconds);
    search.told(kept);
  }
  for (let held = 1, rateMps = search.best;; held++) {
    const { trial: whole, kept } = await trial(Math.max(1, Math.round(rateMps)), seconds);
    if (kept || held === HOLDS_MAX) return { overload, found: kept ? whole : null, last: whole };
    rateMps = nextHold(rateMps, whole.receivedMps);
  }
}

/** The rate to hold after one that was not kept up, of which only so much was received. */
export function nextHold(rateMps: number, receivedMps: number): number {
  const { least, most } = HOLD_DOWN;
  return rateMps * Math.min(most, Math.max(least, receivedMps / rateMps));
}

/** A little above what an earlier run found; without one, everything up to what is accepted under overload. */
async function startOf(options: TopRateOptions): Promise<{ overload: Trial | null; search: RateSearch }> {
  const { say, seconds, hintMps } = options;
  if (hintMps !== undefined) {
    return { overload: null, search: new RateSearch(hintMps * NEAR, hintMps * NEAR * NEAR, hintMps) };
  }
  say("overload: as fast as the connections allow");
  const overload = await runTrial({
    ...options,
    rateMps: null,
    seconds: Math.min(OVERLOAD_SECONDS_MAX, seconds),
  });
  const { acceptedMps } = overload.accept;
  say(`accepted ${mps(acceptedMps)}, received ${mps(overload.receivedMps)}`);
  return {
    overload,
    search: new RateSearch(Math.min(overload.receivedMps, acceptedMps), acceptedMps * NEAR),
  };
}

/** Halves, in ratio, the space between a rate that was kept up and one that was not. Pure but for its memory. */
export class RateSearch {
  #kept: number | null;
  #missed: number;
  #next: number;

  /** @param first looked at first; @param tooHigh surely not kept up; @param kept known to be kept up */
  constructor(first: number, tooHigh: number, kept: number | null = null) {
    this.#next = Math.min(first, tooHigh / NEAR);
    this.#missed = tooHigh;
    this.#kept = kept;
  }

  /** The rate to try next. */
  get next(): number {
    return this.#next;
  }

  /** The highest that was kept up; before there is one, the next to try. */
  get best(): number {
    return this.#kept ?? this.#next;
  }

  /** Whether going on would find little more. */
  get near(): boolean {
    return this.#kept !== null && this.#missed / this.#kept <= NEAR * 1.001;
  }

  /** What became of {@link next}. */
  told(kept: boolean): void {
    if (kept) this.#kept = this.#next;
    else this.#missed = this.#next;
    this.#next = this.#kept === null ? this.#next * DOWN : Math.sqrt(this.#kept * this.#missed);
  }
}

function mps(rate: number): string {
  return `${Math.round(rate)}/s`;
}
