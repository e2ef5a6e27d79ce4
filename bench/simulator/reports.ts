/**
 * Delivery reports: after a message was taken, the carrier calls back with `sent` and then with `delivered`
 * or `undelivered`, the second after the first was answered.
 *
 * @module
 */
import { pause, type Span } from "./clock.ts";
import type { Faults, FaultState, ProviderName } from "./faults.ts";
import { LinePool } from "./http_client.ts";
import { Schedule } from "./schedule.ts";

export type ReportStatus = "sent" | "delivered" | "undelivered";

export interface ReportSettings {
  readonly enabled: boolean;
  /** From taking the message to its first report. @default 10 */
  readonly sentAfterMs: Span;
  /** From the first report's answer to the last report. @default 20 */
  readonly deliveredAfterMs: Span;
  /** How often a report is offered until it is answered 2xx. @default 1 */
  readonly tries: number;
  /** Between two tries. @default 1000 */
  readonly retryMs: number;
  /** Connections to each origin. @default 16 */
  readonly lines: number;
  /** @default 10000 */
  readonly timeoutMs: number;
}

export const REPORT_DEFAULTS: ReportSettings = {
  enabled: true,
  sentAfterMs: 10,
  deliveredAfterMs: 20,
  tries: 1,
  retryMs: 1_000,
  lines: 16,
  timeoutMs: 10_000,
};

/** How one message's reports are made. */
export interface ReportPlan {
  /** Scheme, host and port that they go to. */
  readonly origin: string;
  /** The whole request; with `known` false about a message that nobody sent. */
  build(status: ReportStatus, known: boolean): string;
}

export interface ReportCounts {
  /** Reports put on the wire, repeats and tries included. */
  readonly sent: number;
  /** … answered 2xx. */
  readonly accepted: number;
  /** … answered otherwise. */
  readonly refused: number;
  /** … not answered at all. */
  readonly broken: number;
  /** Not sent because too many waited. */
  readonly dropped: number;
  /** Still to come. */
  readonly waiting: number;
}

const WAITING_MAX = 1_000_000;

export class ReportDesk {
  readonly #pools = new Map<string, LinePool>();
  readonly #schedule = new Schedule();
  readonly #closing = new AbortController();
  #counts = { sent: 0, accepted: 0, refused: 0, broken: 0, dropped: 0 };
  #underWay = 0;

  constructor(
    private settings: ReportSettings,
    private readonly stateOf: (provider: ProviderName) => FaultState,
  ) {}

  change(settings: Partial<ReportSettings>): void {
    this.settings = { ...this.settings, ...settings };
  }

  get counts(): ReportCounts {
    return { ...this.#counts, waiting: this.#schedule.count + this.#underWay };
  }

  resetCounts(): void {
    this.#counts = { sent: 0, accepted: 0, refused: 0, broken: 0, dropped: 0 };
  }

  /** Reports what becomes of a message that was just taken. */
  follow(provider: ProviderName, plan: ReportPlan): void {
    if (!this.settings.enabled || this.#closing.signal.aborted) return;
    if (this.#schedule.count >= WAITING_MAX) {
      this.#counts.dropped += 2;
      return;
    }
    const state = this.stateOf(provider);
    const faults = state.faults;
    const last = state.strikes(faults.undelivered) ? "undelivered" : "delivered";
    const order: ReportStatus[] = state.strikes(faults.reorderReports) ? [last, "sent"] : ["sent", last];
    this.#schedule.in(state.draw(this.settings.sentAfterMs), () => {
      void this.#report(plan, order[0]!, state, faults).then(() => {
        if (this.#closing.signal.aborted) return;
        this.#schedule.in(state.draw(this.settings.deliveredAfterMs), () => {
          void this.#report(plan, order[1]!, state, faults);
        });
      });
    });
  }

  /** Drops what waits and closes the lines. */
  close(): void {
    this.#closing.abort();
    this.#schedule.close();
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }

  /** Never rejects: what goes wrong is counted. */
  async #report(plan: ReportPlan, status: ReportStatus, state: FaultState, faults: Faults): Promise<void> {
    const offers = [this.#offer(plan, status, true)];
    if (state.strikes(faults.duplicateReports)) offers.push(this.#offer(plan, status, true));
    if (state.strikes(faults.unknownReports)) offers.push(this.#offer(plan, status, false));
    await Promise.all(offers);
  }

  async #offer(plan: ReportPlan, status: ReportStatus, known: boolean): Promise<void> {
    this.#underWay++;
    const text = plan.build(status, known);
    for (let left = this.settings.tries; left > 0 && !this.#closing.signal.aborted; left--) {
      if (await this.#call(plan.origin, text)) break;
      if (left > 1) await pause(this.settings.retryMs, this.#closing.signal);
    }
    this.#underWay--;
  }

  async #call(origin: string, text: string): Promise<boolean> {
    this.#counts.sent++;
    try {
      const answer = await this.#pool(origin).request(text);
      const ok = answer.status >= 200 && answer.status < 300;
      if (ok) this.#counts.accepted++;
      else this.#counts.refused++;
      return ok;
    } catch {
      this.#counts.broken++;
      return false;
    }
  }

  #pool(origin: string): LinePool {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      pool = new LinePool(origin, { lines: this.settings.lines, timeoutMs: this.settings.timeoutMs });
      this.#pools.set(origin, pool);
    }
    return pool;
  }
}
