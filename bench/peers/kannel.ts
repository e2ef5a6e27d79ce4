/**
 * Kannel between its sendsms interface and an HTTP provider, the carrier simulator: HTTP in, HTTP out.
 *
 * It keeps what waits in memory alone, as its guide's examples do: what was answered 202 is lost when it is killed.
 * With a store on disk it is written in the background, also after the answer.
 *
 * @module
 */
import { join } from "node:path";
import { type Child, logTail, startChild } from "../../adapters/embedded/child.ts";
import { freePort } from "../../adapters/embedded/free_port.ts";
import { type Carrier, startCarrier } from "../carrier.ts";
import { CONVERSATIONS } from "../contacts.ts";
import { prepareLoad } from "../load/load.ts";
import { assertClean } from "../load/plan.ts";
import type { RequestSource } from "../load/requests.ts";
import { UsageWatch } from "../process_usage.ts";
import { type BenchRow, costs } from "../report.ts";
import { contactNumber } from "../simulator/numbers.ts";
import { getText, readTarget } from "../simulator/request_text.ts";
import { stoppedAtLast } from "../system_under_test.ts";

const FROM = "+14155550100";
const READY_MS_MAX = 20_000;
const DELIVERED_MS_MAX = 120_000;
/** All lines are open by then. */
const WARMUP_MS = 1_500;
/** Its smsbox lets ten new connections wait. */
const STAGGER_MS = 5;
const STOP = [{ signal: "SIGTERM", waitMs: 5_000 }] as const;

export interface KannelOptions {
  /** What the row is called. */
  readonly what: string;
  readonly seconds: number;
  readonly connections: number;
}

interface Kannel {
  readonly sendUrl: string;
  readonly bearerbox: Child;
  readonly smsbox: Child;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Its delivered rate: from the end of the warm-up until the last message is at the carrier. */
export async function kannelRow({ what, seconds, connections }: KannelOptions): Promise<BenchRow> {
  await using carrier = await startCarrier(["urlsms"]);
  // As many requests to the provider under way, so that this is not what holds it up.
  await using kannel = await startKannel(carrier.url, connections);
  using load = await prepareLoad({
    origin: new URL(kannel.sendUrl).origin,
    lines: connections,
    rateMps: null,
    seconds: seconds + WARMUP_MS / 1000,
    requests: sendsms(kannel.sendUrl),
    staggerMs: STAGGER_MS,
  });
  const watch = new UsageWatch([
    { name: "bearerbox", pid: kannel.bearerbox.pid, tree: false },
    { name: "smsbox", pid: kannel.smsbox.pid, tree: false },
    { name: "carrier", pid: carrier.pid, tree: false },
    { name: "bench", pid: Deno.pid, tree: false },
  ]);
  const startMs = performance.timeOrigin + performance.now();
  const posts = await load.run();
  assertClean(posts);
  await untilTaken(carrier, posts.accepted);
  const usage = watch.stop();
  const times = (await carrier.record()).map(({ atMs }) => atMs).filter((atMs) =>
    atMs >= startMs + WARMUP_MS
  );
  const lastMs = times.reduce((last, atMs) => Math.max(last, atMs), 0);
  return {
    what,
    rateMps: times.length / ((lastMs - startMs - WARMUP_MS) / 1000),
    latency: posts.latency,
    processes: costs(usage, posts.accepted),
    more: {
      messages: posts.accepted,
      "accepted/s": posts.acceptedMps,
      "delivered after the last request, s": Math.max(0, (lastMs - startMs) / 1000 - posts.seconds),
      durability: "none: what waits is in memory",
    },
  };
}

/** Rejects when messages never came. */
async function untilTaken(carrier: Carrier, messages: number): Promise<void> {
  const endMs = performance.now() + DELIVERED_MS_MAX;
  for (;;) {
    const taken = await carrier.taken();
    if (taken >= messages) return;
    if (performance.now() > endMs) {
      throw new Error(`Kannel delivered ${taken} of ${messages} messages`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function sendsms(sendUrl: string): RequestSource {
  return { module: import.meta.url, name: "sendsmsRequests", args: sendUrl };
}

/** Called by the load's thread. */
export function sendsmsRequests(sendUrl: string): (index: number) => string {
  const target = readTarget(sendUrl)!;
  return (index) => {
    const query = new URLSearchParams({
      username: "bench",
      password: "bench",
      from: FROM,
      to: contactNumber(index % CONVERSATIONS),
      text: `#${index} your order is on its way`,
    });
    return getText({ ...target, path: `${target.path}?${query}` });
  };
}

async function startKannel(carrierUrl: string, submitsUnderWay: number): Promise<Kannel> {
  const folder = await Deno.makeTempDir({ prefix: "patchbay-bench-kannel-" });
  const children: Child[] = [];
  const stop = stoppedAtLast(async () => {
    for (const child of children.toReversed()) await child.stop(STOP);
    await Deno.remove(folder, { recursive: true });
  });
  try {
    const sendPort = freePort();
    const smsboxPort = freePort();
    const config = join(folder, "kannel.conf");
    await Deno.writeTextFile(
      config,
      configText({ carrierUrl, submitsUnderWay, folder, sendPort, smsboxPort }),
    );
    const start = async (command: string, port: number): Promise<Child> => {
      const logFile = join(folder, `${command}.out`);
      const child = await startChild({
        command,
        args: [config],
        cwd: folder,
        logFile,
        deathSignal: "SIGTERM",
      });
      children.push(child);
      const endMs = performance.now() + READY_MS_MAX;
      while (!await answers(port)) {
        if (!child.running || performance.now() > endMs) {
          throw new Error(`${command} did not start:\n${logTail(join(folder, `${command}.log`))}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return child;
    };
    const bearerbox = await start("bearerbox", smsboxPort);
    const smsbox = await start("smsbox", sendPort);
    const sendUrl = `http://127.0.0.1:${sendPort}/cgi-bin/sendsms`;
    return { sendUrl, bearerbox, smsbox, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface ConfigValues {
  readonly carrierUrl: string;
  readonly submitsUnderWay: number;
  readonly folder: string;
  readonly sendPort: number;
  readonly smsboxPort: number;
}

function configText(config: ConfigValues): string {
  const { carrierUrl, submitsUnderWay, folder, sendPort, smsboxPort } = config;
  const group = (name: string, values: Readonly<Record<string, string | number>>) =>
    [`group = ${name}`, ...Object.entries(values).map(([key, value]) => `${key} = ${value}`)].join("\n");
  return [
    group("core", {
      "admin-port": freePort(),
      "admin-password": "bench",
      "admin-interface": "127.0.0.1",
      "smsbox-port": smsboxPort,
      "smsbox-interface": "127.0.0.1",
      "box-allow-ip": "127.0.0.1",
      "log-file": join(folder, "bearerbox.log"),
      // Warnings and worse, as ours.
      "log-level": 2,
    }),
    group("smsc", {
      smsc: "http",
      "smsc-id": "carrier",
      "system-type": "generic",
      port: freePort(),
      "connect-allow-ip": "127.0.0.1",
      "send-url": `"${carrierUrl}/send.php?from=%P&to=%p&text=%b"`,
      "status-success-regex": '"OK"',
      "max-pending-submits": submitsUnderWay,
    }),
    group("smsbox", {
      "bearerbox-host": "127.0.0.1",
      "bearerbox-port": smsboxPort,
      "sendsms-port": sendPort,
      "sendsms-interface": "127.0.0.1",
      "log-file": join(folder, "smsbox.log"),
      "log-level": 2,
    }),
    group("sendsms-user", { username: "bench", password: "bench", "max-messages": 1 }),
  ].join("\n\n") + "\n";
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
