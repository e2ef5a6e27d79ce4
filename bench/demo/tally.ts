/**
 * What happens, counted from the event stream of an administrator.
 *
 * @module
 */
import type { DemoEvent } from "./event_stream.ts";

export interface Figures {
  /** Contacts' messages. */
  readonly in: number;
  readonly sent: number;
  readonly delivered: number;
  readonly failed: number;
  /** Open sessions by where they are. */
  readonly waiting: number;
  readonly active: number;
  readonly platform: number;
  readonly closed: number;
  readonly transferred: number;
  /** Active sessions by the extension's id. */
  readonly activeBy: ReadonlyMap<string, number>;
  /** Over the last seconds. */
  readonly inMps: number;
  readonly sentMps: number;
}

const WINDOW_MS = 5_000;

/** Counts events of the last few seconds. */
class Recent {
  #times: number[] = [];

  add(nowMs: number): void {
    this.#times.push(nowMs);
  }

  rateMps(nowMs: number, sinceMs: number): number {
    this.#times = this.#times.filter((time) => time > nowMs - WINDOW_MS);
    return this.#times.length / (Math.max(1_000, Math.min(WINDOW_MS, nowMs - sinceMs)) / 1000);
  }
}

export class Tally {
  readonly #startMs = performance.now();
  readonly #counts = new Map<string, number>();
  readonly #open = new Map<string, { state: string; extensionId: string | null }>();
  readonly #in = new Recent();
  readonly #sent = new Recent();

  add({ type, data }: DemoEvent): void {
    const nowMs = performance.now();
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
    if (type === "message.received") this.#in.add(nowMs);
    if (type === "message.sent") this.#sent.add(nowMs);
    if (!type.startsWith("session.") || !data.sessionId) return;
    if (type === "session.closed") this.#open.delete(data.sessionId);
    else this.#open.set(data.sessionId, { state: data.state ?? "", extensionId: data.extensionId ?? null });
  }

  figures(): Figures {
    const nowMs = performance.now();
    const count = (type: string) => this.#counts.get(type) ?? 0;
    const open = [...this.#open.values()];
    const inState = (state: string) => open.filter((session) => session.state === state).length;
    const activeBy = new Map<string, number>();
    for (const { state, extensionId } of open) {
      if (state === "active" && extensionId) activeBy.set(extensionId, (activeBy.get(extensionId) ?? 0) + 1);
    }
    return {
      in: count("message.received"),
      sent: count("message.sent"),
      delivered: count("message.delivered"),
      failed: count("message.failed") + count("message.blocked"),
      waiting: inState("waiting"),
      active: inState("active"),
      platform: inState("platform"),
      closed: count("session.closed"),
      transferred: count("session.transferred"),
      activeBy,
      inMps: this.#in.rateMps(nowMs, this.#startMs),
      sentMps: this.#sent.rateMps(nowMs, this.#startMs),
    };
  }
}
