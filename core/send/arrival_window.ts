/**
 * What may have arrived at the provider within the last second.
 *
 * A token bucket spaces out what leaves. Calls that left in time can still arrive together: after a standstill of the
 * provider's process, of ours, or of the machine between them, all that was under way arrives at once, and what the
 * bucket saved up meanwhile right behind it. So each call is counted until a second after the latest moment at which it
 * may have arrived; while it is unanswered that moment is not known, and it counts. A call may leave when no more than
 * the limit are counted with it.
 *
 * How late a call may have been is measured by its answer, against what answers usually take (see answer_time.ts), and
 * that is not exact: some are faster. So a part of the time that the burst allows for is added. What is given free too
 * early beyond that is at most the burst, which was saved up meanwhile.
 *
 * That suffices: of the calls that arrive in one second, let the last to leave do so at d. All others of them arrive
 * later than a second before its arrival, hence later than d − 1 s, so all of them are counted at d, where they are within
 * the limit. What all calls take alike, the least time of the way, moves both ends of the second and changes nothing.
 *
 * @module
 */
import { Heap } from "./heap.ts";

/**
 * No call counts as later than this: who answers so late was long in processing, or never got it. Twice of what
 * standstills took on a machine that was busy to the last.
 */
export const LATE_MAX_MS = 500;

/** Added to what is measured: of the time that the burst allows for, and no more than what is usual is wrong by, ms. */
const MARGIN = { part: 0.5, maxMs: 20 };

/** A call that is counted. */
export interface Departure {
  readonly cost: number;
  readonly leftMs: number;
  /** Counted until then, as far as is known. */
  readonly untilMs: number;
}

const SECOND_MS = 1_000;

/** What is promised of any second, units: rate + burst, or rate + cost where a single message costs more. */
export interface SecondLimit {
  readonly rateMps: number;
  readonly burst: number;
}

export class ArrivalWindow {
  #limit: SecondLimit;
  #units = 0;
  /** The largest cost since nothing was counted. */
  #largest = 0;
  /** In the order in which they left. */
  readonly #unanswered = new Set<Departure>();
  readonly #answered = new Heap<Departure>((a, b) => a.untilMs < b.untilMs);

  constructor(limit: SecondLimit) {
    this.#limit = limit;
  }

  change(limit: SecondLimit): void {
    this.#limit = limit;
  }

  /**
   * A call leaves. `isSlow`: answers usually take a second or more, so that an answer that is not here by then does not
   * mean that the call was late.
   */
  leave(cost: number, nowMs: number, isSlow: boolean): Departure {
    const lateMs = isSlow ? this.#lateBy(0) : LATE_MAX_MS;
    const departure = { cost, leftMs: nowMs, untilMs: nowMs + SECOND_MS + lateMs };
    this.#units += cost;
    this.#largest = Math.max(this.#largest, cost);
    this.#unanswered.add(departure);
    return departure;
  }

  /** It was answered, so much later than usual; below 0: earlier. */
  answered(departure: Departure, beyondUsualMs: number): void {
    if (!this.#unanswered.delete(departure)) return;
    const untilMs = departure.leftMs + SECOND_MS + this.#lateBy(beyondUsualMs);
    this.#answered.push({ ...departure, untilMs });
  }

  /**
   * Up to `nowMs`: `cost` units may leave at once. Otherwise: not before. After `ahead` others about then, since what is
   * counted ends as it left, at the rate.
   */
  freeAt(cost: number, ahead: number, nowMs: number): number {
    this.#forget(nowMs);
    const { rateMps, burst } = this.#limit;
    const most = Math.floor(rateMps + Math.max(burst, this.#largest, cost));
    const excess = this.#units + ahead + cost - most;
    if (excess <= 0 || this.#units === 0) return nowMs;
    const firstMs = Math.min(
      this.#answered.peek()?.untilMs ?? Infinity,
      this.#unanswered.values().next().value?.untilMs ?? Infinity,
    );
    return firstMs + (Math.min(ahead, excess) * SECOND_MS) / rateMps;
  }

  #lateBy(beyondUsualMs: number): number {
    const { rateMps, burst } = this.#limit;
    const marginMs = Math.min(MARGIN.maxMs, (MARGIN.part * (burst - 1) * SECOND_MS) / rateMps);
    return Math.min(LATE_MAX_MS, Math.max(0, beyondUsualMs + marginMs));
  }

  #forget(nowMs: number): void {
    for (
      let next = this.#answered.peek();
      next !== undefined && next.untilMs <= nowMs;
      next = this.#answered.peek()
    ) {
      this.#answered.pop();
      this.#units -= next.cost;
    }
    for (const departure of this.#unanswered) {
      if (departure.untilMs > nowMs) break;
      this.#unanswered.delete(departure);
      this.#units -= departure.cost;
    }
    if (this.#units === 0) this.#largest = 0;
  }
}
