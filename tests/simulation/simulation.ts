/**
 * A run of the whole system in one process, from a seed: people use it while processes die, pause, leave and come,
 * and everything between them goes wrong; then all is well again, and when it has come to rest the auditor looks.
 *
 * @module
 */
import { audit, faultLines } from "../../bench/audit/audit.ts";
import type { OptOut, Run } from "../../bench/audit/run.ts";
import type { FreshDirectory } from "../../core/ports/directory.ts";
import { SEND_LANES } from "../../core/send/queued_message.ts";
import { Broker } from "./broker.ts";
import { Carrier, SOUND_CARRIER } from "./carrier.ts";
import { bucketsOf, directoryOf } from "./directory.ts";
import { harm, Nodes, spoil } from "./harm.ts";
import { Ingress } from "./ingress.ts";
import { startNode } from "./node.ts";
import { People } from "./people.ts";
import { SimulatedStatuses } from "./status_store.ts";
import { type Mistake, Tables } from "./tables.ts";
import { FAIR, World } from "./world.ts";

export interface SimulationResult {
  /** What the auditor found, and whether it came to rest; none: all is well. */
  readonly faults: readonly string[];
  /** What happened, for people. */
  readonly summary: string;
  /** The last things that happened. */
  readonly trace: (lines: number) => readonly string[];
  /** Sums up everything that happened: two runs of one seed have the same. */
  readonly fingerprint: string;
}

const COUNTS = { route: 3, status: 2, send: SEND_LANES };
const CONTACTS = ["+12025550100", "+12025550101", "+12025550102", "+12025550103"];
const REST_MS_MAX = 900_000;

/** Runs the world of `seed`, with a database that makes `mistake`. */
export async function simulate(seed: number, mistake: Mistake | null = null): Promise<SimulationResult> {
  const world = new World(seed);
  const busyMs = world.between(4_000, 20_000);
  const directory = directoryOf(world);
  const source: FreshDirectory = {
    current: () => directory,
    onChange: () => () => {},
    refresh: () => Promise.resolve(),
  };
  const tables = new Tables(COUNTS, mistake, () => world.nowMs);
  const broker = new Broker(world, COUNTS);
  const ingress = new Ingress(world, broker, COUNTS);
  const silent = world.chance(0.5) ? 0 : 0.2;
  const carrier = new Carrier(world, silent, (report) => people.insist(() => ingress.appendReport(report)));
  const nodes = new Nodes(
    world,
    (process) => startNode({ world, process, broker, tables, carrier, directory: source, counts: COUNTS }),
  );
  const numbers = [...directory.numbers.values()];
  const people = new People({
    world,
    ingress,
    broker,
    tables,
    numbers,
    contacts: CONTACTS,
    agents: [...directory.extensions.keys()],
    msMax: busyMs,
  });
  spoil(world, carrier);
  harm({ world, nodes, ingress, broker, tables }, world.nowMs + busyMs);
  await world.run(() => false, busyMs);

  // From here on nothing goes wrong any more.
  world.weather = FAIR;
  world.away.clear();
  carrier.faults = SOUND_CARRIER;
  nodes.heal();
  const leftovers = () => ({
    partitions: [...tables.partitions.values()],
    logEnds: broker.logEnds(),
    outbox: [...tables.outbox.values()],
  });
  const statuses = new SimulatedStatuses(tables);
  const isAtRest = () =>
    people.isDone && carrier.waiting === 0 && tables.outbox.size === 0 &&
    ![...tables.pending.values()].some(({ entry }) => statuses.isKnown(entry)) &&
    broker.logs.every(({ kind, partition, log }) => tables.isAppliedToItsEnd(kind, partition, log)) &&
    [...tables.messages.values()].every(({ status, uncertain }) =>
      status !== "queued" && (status !== "sending" || uncertain)
    );
  const rested = await world.run(isAtRest, REST_MS_MAX);
  const run: Run = {
    ...tables.stored(),
    webhooks: people.webhooks,
    calls: carrier.calls,
    promised: people.promised,
    events: broker.told.filter(({ type }) => type.startsWith("message.")),
    buckets: bucketsOf(directory),
    optOuts: optOutsOf(tables),
    leftovers: leftovers(),
    openEnd: silent > 0 ? "reports" : "none",
  };
  const faults = faultLines(audit(run));
  if (!rested) faults.push(people.isDone ? "it did not come to rest" : "people still wait for answers");
  if (tables.deadLetters.size > 0) faults.push(`${tables.deadLetters.size} dead letters`);
  const uncertain = run.messages.filter(({ wasUncertain }) => wasUncertain).length;
  return {
    faults,
    summary: `${run.messages.length} messages, ${carrier.calls.length} calls, ${uncertain} uncertain, ` +
      `${nodes.started} processes, ${world.steps} steps`,
    trace: (lines) => world.lastTrace(lines),
    fingerprint: `${world.steps} ${world.nowMs} ${world.random()} ${world.lastTrace(100).join("|")}`,
  };
}

/** What was claimed just before may still leave. */
const CLAIMED_MS_MAX = 2_000;

function optOutsOf({ optOutChanges }: Tables): OptOut[] {
  return optOutChanges.flatMap(({ contact, number, active, committedMs }, index): OptOut[] => {
    if (!active) return [];
    const next = optOutChanges.slice(index + 1)
      .find((later) => later.contact === contact && later.number === number && !later.active);
    return [{ contact, number, sinceMs: committedMs + CLAIMED_MS_MAX, untilMs: next?.committedMs ?? null }];
  });
}
