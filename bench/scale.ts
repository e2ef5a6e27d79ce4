/**
 * `scale`: what a message costs with one process of each role, with two, and with four.
 *
 * @module
 */
import { type Bench, type BenchContext, freshSystem } from "./bench_context.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { untilSpread } from "./cluster.ts";
import { CONVERSATIONS, prepareContacts } from "./contacts.ts";
import { type EventListener, listenToEvents } from "./event_listener.ts";
import { addChannel, countsOf, install, type Installation, type SendChannel } from "./installation.ts";
import { type Load, prepareLoad } from "./load/load.ts";
import { assertClean } from "./load/plan.ts";
import { cpuMsEach, UsageWatch, type Watched } from "./process_usage.ts";
import { type BenchRow, costs } from "./report.ts";
import { apiSends } from "./send_requests.ts";
import type { Program, SystemUnderTest } from "./system_under_test.ts";
import { atMost, number } from "./targets.ts";

const PROCESSES = [1, 2, 4];
const ROLES = ["ingress", "router", "sender"];
const SECONDS = 5;
/**
 * For each process of a role: every one of them compiles what it runs, and each of four sees a quarter of the messages.
 * A message's CPU falls by half over a process's first 20,000 messages; with 2 s four processes were measured on the steep
 * part of that curve, one at its end.
 */
const WARMUP_SECONDS = 6;
/** Channels belong to one sender each: enough of them for each to have some. */
const CHANNELS = 16;
const POLL_MS = 200;
const DONE_MS_MAX = 180_000;
const GROWTH_MAX_PERCENT = 15;
const UNLIMITED = { rateMps: 100_000, burst: 100_000 };

interface Setting {
  readonly context: BenchContext;
  readonly listener: EventListener;
  readonly installation: Installation;
  readonly channels: readonly SendChannel[];
  readonly ingresses: readonly Program[];
  readonly watched: readonly Watched[];
}

interface Measured {
  readonly rateMps: number;
  readonly cpuMs: number;
  readonly row: BenchRow;
}

export const scale: Bench = {
  name: "scale",
  about: "CPU a message with 1, 2 and 4 processes of each role",
  takes: { firstSeconds: 160, laterSeconds: 160 },
  once: true,
  run: async (context) => {
    const received: Measured[] = [];
    const sent: Measured[] = [];
    for (const count of PROCESSES) {
      await using carrier = await startCarrier();
      await using system = await freshSystem(context);
      const setting = await start(context, system, carrier, count);
      await using _ = setting.listener;
      await receive(setting, WARMUP_SECONDS * count);
      received.push(await receive(setting, context.seconds ?? SECONDS));
      await send(setting, WARMUP_SECONDS * count);
      sent.push(await send(setting, context.seconds ?? SECONDS));
    }
    return {
      rows: [
        ...rowsOf("webhook → rows committed and event", received),
        ...rowsOf("API → carrier → result stored", sent),
      ],
      notes: [
        "As fast as the connections allow, the same number for each ingress, until all is applied or sent. CPU a message: of " +
        "all processes of Patchbay, nats-server and PostgreSQL together. On two cores more processes do not make it " +
        "faster; what is shown is what they cost.",
      ],
    };
  },
};

async function start(
  context: BenchContext,
  system: SystemUnderTest,
  carrier: Carrier,
  count: number,
): Promise<Setting> {
  context.say(`${count} of each role`);
  const programs: Program[] = [];
  for (const role of ROLES) {
    programs.push(...await Promise.all(Array.from({ length: count }, () => system.start(role))));
  }
  const of = (role: string) => programs.filter(({ roles }) => roles === role);
  const { api } = programs[0]!;
  const installation = await install({ api, carrierUrl: carrier.url, ...UNLIMITED });
  const channels: SendChannel[] = [];
  for (let index = 0; index < CHANNELS; index++) {
    channels.push(await addChannel({ api, carrierUrl: carrier.url, ...UNLIMITED, index }));
  }
  await untilSpread(api, "route", of("router"));
  await untilSpread(api, "send", of("sender"));
  return {
    context,
    listener: await listenToEvents(system.embedded),
    installation,
    channels,
    ingresses: of("ingress"),
    watched: system.watched(...programs),
  };
}

/** Contacts write to all ingresses, each to his own, until every event is in. */
async function receive(setting: Setting, seconds: number): Promise<Measured> {
  const { context, listener, installation, ingresses, watched } = setting;
  const before = listener.received;
  const conversations = CONVERSATIONS / ingresses.length;
  const loads = await Promise.all(
    ingresses.map(({ url }, index) =>
      prepareContacts({
        webhookUrl: url + new URL(installation.webhookUrl).pathname,
        numbers: installation.numbers,
        conversations,
        firstContact: index * conversations,
        connections: context.connections,
        rateMps: null,
        seconds,
        warmupMs: 0,
      })
    ),
  );
  const watch = new UsageWatch(watched);
  const startMs = performance.now();
  const messages = await runAll(loads);
  if (!await listener.until(before + messages, DONE_MS_MAX)) throw new Error("not all was applied");
  return measuredOf(setting, watch, messages, (listener.lastMs - startMs) / 1_000);
}

/** Messages are posted to all ingresses until every result is stored. */
async function send(setting: Setting, seconds: number): Promise<Measured> {
  const { context, channels, ingresses, watched } = setting;
  const numbers = channels.map(({ number }) => number.number);
  const before = await sentOver(setting);
  const loads = await Promise.all(
    ingresses.map((program) =>
      prepareLoad({
        origin: program.url,
        lines: context.connections,
        rateMps: null,
        seconds,
        requests: apiSends(program, { numbers }),
      })
    ),
  );
  const watch = new UsageWatch(watched);
  const startMs = performance.now();
  const messages = await runAll(loads);
  const endMs = performance.now() + DONE_MS_MAX;
  while (await sentOver(setting) < before + messages) {
    if (performance.now() > endMs) throw new Error("not all was sent");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return measuredOf(setting, watch, messages, (performance.now() - startMs) / 1_000);
}

/** All at the same time; gives how many requests were accepted. */
async function runAll(loads: readonly Pick<Load, "run">[]): Promise<number> {
  const results = await Promise.all(loads.map((load) => load.run()));
  results.forEach(assertClean);
  return results.reduce((sum, { accepted }) => sum + accepted, 0);
}

async function sentOver({ channels, ingresses }: Setting): Promise<number> {
  let sum = 0;
  for (const { id } of channels) sum += (await countsOf(ingresses[0]!.api, id)).sent;
  return sum;
}

function measuredOf({ watched }: Setting, watch: UsageWatch, messages: number, seconds: number): Measured {
  const usage = watch.stop();
  const system = watched.map(({ name }) => name).filter((name) => name !== "bench");
  const cpuMs = cpuMsEach(usage, system, messages);
  const rateMps = messages / seconds;
  return { rateMps, cpuMs, row: { what: "", rateMps, processes: costs(usage, messages) } };
}

function rowsOf(what: string, measured: readonly Measured[]): BenchRow[] {
  const [one] = measured;
  return measured.map(({ row, rateMps, cpuMs }, index) => {
    const count = PROCESSES[index]!;
    const growth = (cpuMs / one!.cpuMs - 1) * 100;
    return {
      ...row,
      what: `${what}, ${count} of each role`,
      headline: index === 0 ? `\`scale\` ${what}, one process of each role` : `… ${count} of each role`,
      figure: `${number(Math.round(rateMps))}/s, ${number(cpuMs)} ms of CPU a message`,
      more: { "CPU a message, ms": cpuMs },
      ...(count !== PROCESSES.at(-1) ? {} : {
        targets: [atMost(GROWTH_MAX_PERCENT, { what: "CPU a message grown by", value: growth, unit: " %" })],
      }),
    };
  });
}
