/**
 * Load on a server of this machine, from a thread of its own, with requests made ahead: it costs the machine 11 µs a
 * request, its answer included.
 *
 * @module
 */
import { Journal } from "./journal.ts";
import type { LoadPlan, LoadResult } from "./plan.ts";
import type { Order, Report } from "./worker.ts";

export interface Load {
  /** Starts; to be called once. Rejects when the server cannot be reached; answers of all kinds are in the result. */
  run(): Promise<LoadResult>;
  /** Answered 2xx so far. */
  readonly accepted: number;
  /** When request `index` left, ms since 1970; null: not yet, or during the warm-up. */
  leftMs(index: number): number | null;
  [Symbol.dispose](): void;
}

/** Of a rate that only the lines limit, requests for this are made ahead; those beyond are made when they leave. */
const AHEAD_MPS = 25_000;
/** … and the times of so many are kept. */
const KEPT_MPS = 100_000;

/** Makes the requests. Rejects when they cannot be made. */
export async function prepareLoad(plan: LoadPlan): Promise<Load> {
  const seconds = (plan.warmupMs ?? 0) / 1000 + (plan.seconds ?? Infinity);
  const most = (mps: number) => {
    // Each line may be one round ahead of the others.
    const paced = Math.ceil((plan.rateMps ?? mps) * seconds) + plan.lines;
    return Math.min(plan.count ?? Infinity, paced);
  };
  const ahead = most(AHEAD_MPS);
  if (!Number.isFinite(ahead)) throw new RangeError("a load needs an end: seconds or a count");
  const journal = Journal.for(most(KEPT_MPS));
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const order: Order = { plan, ahead, journal: journal.memory };
  await reportOf(worker, order, "ready");
  return {
    run: async () => {
      try {
        return (await reportOf(worker, "go", "done")).result;
      } finally {
        worker.terminate();
      }
    },
    get accepted() {
      return journal.accepted;
    },
    leftMs: (index) => journal.leftMs(index),
    [Symbol.dispose]: () => worker.terminate(),
  };
}

/** Tells the worker something and waits for what it says to that. */
function reportOf<Kind extends Report["kind"]>(
  worker: Worker,
  message: Order | "go",
  kind: Kind,
): Promise<Extract<Report, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Report>) => {
      if (data.kind === kind) resolve(data as Extract<Report, { kind: Kind }>);
      else reject(new Error(data.kind === "failed" ? data.reason : `the load said ${data.kind}`));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`the load's thread failed: ${event.message}`));
    };
    worker.postMessage(message);
  });
}
