/**
 * `state`: what a message costs with a thousand open conversations, and with a million.
 *
 * @module
 */
import { connectDatabase } from "../adapters/postgres/database.ts";
import { type Bench, type BenchContext, freshSystem, installForReceiving } from "./bench_context.ts";
import { cloneConversations } from "./cloned_conversations.ts";
import { openConversations } from "./contacts.ts";
import { type EventListener, listenToEvents } from "./event_listener.ts";
import type { Installation } from "./installation.ts";
import { cpuMsEach, type Watched } from "./process_usage.ts";
import { type BenchRow, costs } from "./report.ts";
import { runTrial } from "./trial.ts";
import { atMost, number, promised, within } from "./targets.ts";

const CONVERSATIONS = [1_000, 10_000, 100_000, 1_000_000];
const SECONDS = 5;
/** Well below what is kept up, and the same for all: batches are then of the same size. */
const RATE_MPS = 1_000;
const MEMORY_TARGET_MB = 500;
const WARM_MS_MAX = 60_000;

export const state: Bench = {
  name: "state",
  about: "cost of a contact's message with 1,000 to 1,000,000 open conversations",
  takes: { firstSeconds: 100, laterSeconds: 100 },
  once: true,
  run: async (context) => {
    await using system = await freshSystem(context);
    const program = await system.start("all");
    const installation = await installForReceiving(program);
    await using listener = await listenToEvents(system.embedded);
    const watched = system.watched(program);
    const { databaseUrl } = system.embedded;
    const sql = connectDatabase(databaseUrl, {
      max: 1,
      applicationName: "patchbay bench",
      statementTimeoutMs: 600_000,
    });
    const measured: { conversations: number; cpuMs: number; row: BenchRow }[] = [];
    try {
      let there = CONVERSATIONS[0]!;
      await open(context, installation, listener, there);
      // Compiles what is measured afterwards.
      await measure(context, { installation, listener, watched, conversations: there, seconds: 3 });
      for (const conversations of context.quick ? CONVERSATIONS.slice(0, -1) : CONVERSATIONS) {
        if (conversations > there) {
          context.say(`writing conversations into the database, up to ${number(conversations)}`);
          await cloneConversations(sql, { numbers: installation.numbers, from: there, to: conversations });
          there = conversations;
        }
        const seconds = context.seconds ?? SECONDS;
        measured.push(await measure(context, { installation, listener, watched, conversations, seconds }));
      }
    } finally {
      await sql.end({ timeout: 2 });
    }
    const small = measured[0]!;
    return {
      rows: measured.map(({ conversations, cpuMs, row }, index) => ({
        ...row,
        headline: `${index === 0 ? "`state` " : "… "}${number(conversations)} open conversations`,
        figure: `${number(cpuMs)} ms of CPU a message, ${Math.round(row.processes![0]!.peakMb)} MB`,
        ...(index === 0 ? {} : {
          targets: [
            within(80, 120, {
              what: "CPU a message",
              value: (cpuMs / small.cpuMs) * 100,
              unit: ` % of that with ${number(small.conversations)}`,
            }),
            promised(
              atMost(MEMORY_TARGET_MB, { what: "memory", value: row.processes![0]!.peakMb, unit: " MB" }),
            ),
          ],
        }),
      })),
      notes: [
        `Messages at ${
          number(RATE_MPS)
        }/s in turn over all conversations, so that of many none is still in memory. CPU a ` +
        "message: of Patchbay with all roles, nats-server and PostgreSQL together.",
        "All but the first thousand conversations were written straight into the database, as copies of those.",
      ],
    };
  },
};

async function open(
  context: BenchContext,
  installation: Installation,
  listener: EventListener,
  conversations: number,
): Promise<void> {
  const before = listener.received;
  const { accepted } = await openConversations(installation, context.connections, conversations);
  if (!await listener.until(before + accepted, WARM_MS_MAX)) {
    throw new Error("the conversations did not open");
  }
}

interface Measure {
  readonly installation: Installation;
  readonly listener: EventListener;
  readonly watched: readonly Watched[];
  readonly conversations: number;
  readonly seconds: number;
}

async function measure(context: BenchContext, { watched, conversations, ...options }: Measure) {
  context.say(`${number(conversations)} conversations`);
  const { connections } = context;
  const trial = await runTrial({ ...options, watched, conversations, connections, rateMps: RATE_MPS });
  const system = watched.map(({ name }) => name).filter((name) => name !== "bench");
  const cpuMs = cpuMsEach(trial.usage, system, trial.messages);
  const row: BenchRow = {
    what: `${number(conversations)} conversations`,
    rateMps: trial.receivedMps,
    latency: trial.toEvent,
    processes: costs(trial.usage, trial.messages),
    more: { "CPU a message, ms": cpuMs },
  };
  return { conversations, cpuMs, row };
}
