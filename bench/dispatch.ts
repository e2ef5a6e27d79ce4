/**
 * `dispatch`: how many waiting sessions a second find an agent, and how long a decision takes.
 *
 * @module
 */
import { Dispatcher } from "../core/dispatch/dispatcher.ts";
import { type DispatchEntry, DispatchEntrySchema, type SessionFact } from "../core/dispatch/entry.ts";
import { dispatchSettings } from "../core/dispatch/snapshot.ts";
import { packEntries, unpackEntries } from "../core/entry.ts";
import { type Bench, type BenchContext, freshSystem } from "./bench_context.ts";
import { AGENTS, morning, Office, officeDirectory, QUEUES, WAITING } from "./dispatch_office.ts";
import { startDispatchRuntime } from "./dispatch_runtime.ts";
import type { BenchRow } from "./report.ts";
import { Histogram } from "./simulator/histogram.ts";
import { atLeast, atMost, number } from "./targets.ts";

const SECONDS = 8;
const TARGET_PER_SECOND = 2_000;
const TARGET_P99_MS = 5;
const MB = 2 ** 20;
/** Entries that one assignment takes: an end, its successor's acceptance, and an arrival. */
const ENTRIES_EACH = 3;
const PACK = 500;
const FIRST_MS_MAX = 120_000;

export const dispatch: Bench = {
  name: "dispatch",
  about: `${number(WAITING)} waiting sessions, ${
    number(AGENTS)
  } agents, ${QUEUES} queues: assignments and decisions`,
  takes: { firstSeconds: 60, laterSeconds: 60 },
  run: async (context) => {
    const seconds = Math.min(context.seconds ?? SECONDS, context.quick ? 3 : Infinity);
    context.say("the decisions alone");
    const { row: core, samples } = decisions(seconds);
    const ceiling = decoding(samples);
    context.say("with its log and its rows");
    const runtime = await onRuntime(context, seconds);
    return {
      rows: [
        {
          ...core,
          ceiling: {
            what: "the same entries decoded, nothing decided",
            rateMps: ceiling,
            ratio: core.rateMps! / ceiling,
          },
        },
        runtime,
      ],
      notes: [
        "Every agent serves five queues, one session at a time; longest idle, round robin, least busy and skills have a " +
        "quarter of the queues each. Rate: assignments per second; each takes three entries: a session ends, the next is " +
        "taken, another one arrives, so that the line stays as long as it is.",
        "The decisions alone: latency of one entry. With its log and its rows: from an agent's end of a session to the next " +
        "offer, through the fsynced stream and the commit, and through the backlog that so many ends at once make. Conversations answer from memory.",
      ],
    };
  },
};

/** One core decides, and does nothing else. */
function decisions(seconds: number): { row: BenchRow; samples: DispatchEntry[] } {
  const before = Deno.memoryUsage().heapUsed;
  const office = new Office();
  const dispatcher = new Dispatcher(
    { sessions: [], agents: [], queues: [] },
    dispatchSettings(officeDirectory()),
  );
  let nowMs = 1_000_000;
  const active: SessionFact[] = [];
  const histogram = new Histogram();
  const samples: DispatchEntry[] = [];
  let isMeasured = false;
  let assigned = 0;
  const apply = (entry: DispatchEntry) => {
    const startMs = performance.now();
    const { orders } = dispatcher.apply(entry);
    dispatcher.takeChanges();
    if (isMeasured) {
      histogram.record(performance.now() - startMs);
      if (samples.length < PACK) samples.push(entry);
    }
    for (const { command } of orders) {
      assigned++;
      const fact = office.accepted(command, nowMs);
      if (fact === null) continue;
      active.push(fact);
      apply(fact);
    }
  };
  for (const entry of morning(nowMs)) apply(entry);
  for (let n = 0; n < WAITING + AGENTS; n++) {
    nowMs += 1;
    apply(office.arrival(nowMs));
  }
  const memoryMb = (Deno.memoryUsage().heapUsed - before) / MB;
  isMeasured = true;
  assigned = 0;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  for (let n = 0; performance.now() < endMs; n++) {
    nowMs += 1;
    const place = (n * 7_919) % active.length;
    const fact = active[place]!;
    active[place] = active.at(-1)!;
    active.pop();
    apply(office.closed(fact, nowMs));
    apply(office.arrival(nowMs));
  }
  const rateMps = assigned / ((performance.now() - startMs) / 1_000);
  const latency = histogram.summary();
  return {
    samples,
    row: {
      what: "the decisions alone",
      headline: `\`dispatch\`, ${number(WAITING)} waiting: the decisions alone`,
      rateMps,
      latency,
      targets: [
        atLeast(TARGET_PER_SECOND, { what: "", value: rateMps, unit: "/s" }),
        atMost(TARGET_P99_MS, { what: "p99", value: latency.p99Ms, unit: " ms" }),
      ],
      more: { "memory, MB": Math.round(memoryMb) },
    },
  };
}

/** Assignments' worth of entries per second that can be read at all. */
function decoding(samples: readonly DispatchEntry[]): number {
  const pack = packEntries(samples.map((entry) => JSON.stringify(entry)));
  const startMs = performance.now();
  let entries = 0;
  while (performance.now() - startMs < 1_000) entries += unpackEntries(pack, DispatchEntrySchema).length;
  return entries / ENTRIES_EACH / ((performance.now() - startMs) / 1_000);
}

/** On the stream and the database, in this process. */
async function onRuntime(context: BenchContext, seconds: number): Promise<BenchRow> {
  await using system = await freshSystem(context);
  const office = new Office();
  const histogram = new Histogram();
  const endedMs = new Map<string, number>();
  let assigned = 0;
  let isRunning = true;
  await using runtime = await startDispatchRuntime({
    system,
    directory: officeDirectory(),
    onCommand: (command) => {
      const at = Date.now();
      const fact = office.accepted(command, at);
      if (fact === null || fact.extensionId === null) return [];
      assigned++;
      const former = endedMs.get(fact.extensionId);
      if (former !== undefined) histogram.record(performance.now() - former);
      if (!isRunning) return [fact];
      endedMs.set(fact.extensionId, performance.now());
      return [fact, office.closed(fact, at), office.arrival(at)];
    },
  });
  context.say(`${number(WAITING)} sessions come to wait`);
  for (let n = 0; n < WAITING; n += PACK) {
    await runtime.tell(Array.from({ length: PACK }, () => office.arrival(Date.now())));
  }
  await runtime.tell(morning(Date.now()));
  const deadline = performance.now() + FIRST_MS_MAX;
  while (assigned < AGENTS) {
    if (performance.now() > deadline) throw new Error("the first assignments did not come");
    await pause(20);
  }
  const before = assigned;
  const startMs = performance.now();
  await pause(seconds * 1_000);
  const rateMps = (assigned - before) / ((performance.now() - startMs) / 1_000);
  isRunning = false;
  await pause(500);
  return {
    what: "with its log and its rows",
    headline: "… with its stream and PostgreSQL",
    rateMps,
    latency: histogram.summary(),
    targets: [atLeast(TARGET_PER_SECOND, { what: "", value: rateMps, unit: "/s" })],
    more: { "resident memory of the bench, MB": Math.round(Deno.memoryUsage().rss / MB) },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
