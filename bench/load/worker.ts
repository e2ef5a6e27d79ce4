/**
 * The load's thread: told what to do, it makes the requests, says so, and sends them when it is told to.
 *
 * @module
 */
import { Journal } from "./journal.ts";
import type { LoadPlan, LoadResult } from "./plan.ts";
import { pump } from "./pump.ts";
import { Requests } from "./requests.ts";

export interface Order {
  readonly plan: LoadPlan;
  /** How many requests are made ahead. */
  readonly ahead: number;
  readonly journal: SharedArrayBuffer;
}

export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly result: LoadResult }
  | { readonly kind: "failed"; readonly reason: string };

/** What a worker's scope has and a window's has not. */
interface Scope {
  onmessage: ((event: MessageEvent<Order | "go">) => void) | null;
  postMessage(report: Report): void;
}

const scope = globalThis as unknown as Scope;
let go = () => {};

scope.onmessage = ({ data }) => {
  if (data === "go") return go();
  prepare(data).then(() => scope.postMessage({ kind: "ready" }), failed);
};

async function prepare({ plan, ahead, journal }: Order): Promise<void> {
  const { module, name, args } = plan.requests;
  const source = (await import(module))[name] as (args: unknown) => (index: number) => string;
  const requests = new Requests(source(args), ahead);
  go = () => {
    try {
      scope.postMessage({ kind: "done", result: pump(plan, requests, new Journal(journal)) });
    } catch (error) {
      failed(error);
    }
  };
}

function failed(error: unknown): void {
  scope.postMessage({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
}
