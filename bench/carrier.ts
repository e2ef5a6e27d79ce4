/**
 * The carrier simulator as a process of its own, so that its times are not those of the load generator.
 *
 * @module
 */
import { freePort } from "../adapters/embedded/free_port.ts";
import { ApiClient } from "./api_client.ts";
import type { ProviderName } from "./simulator/faults.ts";
import type { CallRecord } from "./simulator/record.ts";
import { endChild, startDeno, stoppedAtLast, untilReady } from "./system_under_test.ts";

export interface Carrier {
  readonly url: string;
  readonly pid: number;
  /** Delivery reports on or off. */
  setReports(enabled: boolean): Promise<void>;
  /** Resolves when no report is still to come; bounded. */
  untilReported(): Promise<void>;
  /** Messages that it took, since the last reset. */
  taken(): Promise<number>;
  /** The calls after the one with this sequence. @default 0 */
  record(since?: number): Promise<CallRecord[]>;
  reset(): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const REPORTED_MS_MAX = 60_000;

/** Starts it with reports off. */
export async function startCarrier(providers: readonly ProviderName[] = ["twilio"]): Promise<Carrier> {
  const folder = await Deno.makeTempDir({ prefix: "patchbay-bench-" });
  const logFile = `${folder}/carrier.log`;
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = await startDeno([
    "main.ts",
    "simulate",
    `--port=${port}`,
    `--providers=${providers.join(",")}`,
    "--no-reports",
  ], {
    logFile,
  });
  const stop = stoppedAtLast(async () => {
    await endChild(child);
    await Deno.remove(folder, { recursive: true });
  });
  try {
    await untilReady(`${url}/control/statistics`, child, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  const control = new ApiClient(url, "none");
  return {
    url,
    pid: child.pid,
    setReports: async (enabled) => void await control.post("/control/reports", { enabled }),
    untilReported: async () => {
      const endMs = performance.now() + REPORTED_MS_MAX;
      while (performance.now() < endMs) {
        const { reports } = await control.get<{ reports: { waiting: number } }>("/control/statistics");
        if (reports.waiting === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    taken: async () => {
      const { accepted } = await control.get<{ accepted: Record<ProviderName, number> }>(
        "/control/statistics",
      );
      return providers.reduce((sum, provider) => sum + accepted[provider], 0);
    },
    record: async (since = 0) => {
      const text = await (await fetch(`${url}/control/record?since=${since}`)).text();
      return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as CallRecord);
    },
    reset: async () => void await control.post("/control/reset", {}),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
