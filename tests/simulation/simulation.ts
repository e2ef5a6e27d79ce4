/**
 * A run of the whole system in one process, from a seed: people use it while processes die, pause, leave and come,
 * and everything between them goes wrong; then all is well again, and when it has come to rest the auditor looks.
 *
 * @module
 */
import { audit, faultLines } from "../../bench/audit/audit.ts";
import type { Bucket, OptOut, Run } from "../../bench/audit/run.ts";
import { type Channel, ChannelSettingsSchema, type OwnNumber } from "../../core/channel.ts";
import { type Directory, EMPTY_DIRECTORY } from "../../core/directory.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import { SEND_LANES } from "../../core/send/queued_message.ts";
import { BROKER, Broker } from "./broker.ts";
import { Carrier, SOUND_CARRIER } from "./carrier.ts";
import { Ingress } from "./ingress.ts";
import { DATABASE, startNode } from "./node.ts";
import { People } from "./people.ts";
import { SimulatedStatuses } from "./status_store.ts";
import { type Mistake, Tables } from "./tables.ts";
import { FAIR, Process, World } from "./world.ts";

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
  const source: DirectorySource = { current: () => directory, onChange: () => () => {} };
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
  harm(world, nodes, ingress, world.nowMs + busyMs);
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
    broker.logEnds().every(({ kind, partition, sequence }) =>
      tables.partition(kind as "route" | "status", partition).cursor === sequence
    ) &&
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

/** Two channels that differ in what they do when a result is lost, three numbers, one of them with a rate of its own. */
function directoryOf(world: World): Directory {
  const fallback = world.chance(0.3) ? { fallbackChannelId: "ch_resending" } : {};
  const channelOf = (name: string, uncertain: "hold" | "resend", more = {}): Channel => ({
    id: `ch_${name}`,
    name,
    provider: "simulated",
    enabled: true,
    isDefault: false,
    settings: ChannelSettingsSchema.parse({
      rateMps: Math.round(world.between(3, 30)),
      burst: Math.round(world.between(1, 4)),
      timeoutMs: 1_500,
      uncertain,
      retry: { initialMs: 100, factor: 2, maxMs: 2_000, maxTries: 6 },
      ...more,
    }),
    credentials: {},
  });
  const numberOf = (number: string, channelId: string, rateMps: number | null): OwnNumber => ({
    id: `num_${number}`,
    channelId,
    number,
    type: "geographic",
    label: null,
    verified: true,
    direction: "both",
    rateMps,
    burst: rateMps === null ? null : 1,
    destination: null,
    allowedExtensions: [],
    optOut: null,
  });
  const channels = [channelOf("holding", "hold", fallback), channelOf("resending", "resend")];
  const numbers = [
    numberOf("+14155550101", "ch_holding", null),
    numberOf("+14155550102", "ch_holding", 2),
    numberOf("+14155550103", "ch_resending", null),
  ];
  const extensions = ["101", "102"].map((extension) => ({
    id: `ext_${extension}`,
    extension,
    name: extension,
  }));
  return {
    ...EMPTY_DIRECTORY,
    channels: new Map(channels.map((channel) => [channel.id, channel])),
    numbers: new Map(numbers.map((number) => [number.id, number])),
    numbersByAddress: new Map(numbers.map((number) => [number.number, number])),
    extensions: new Map(extensions.map((extension) => [extension.id, extension])),
  };
}

function bucketsOf({ channels, numbers }: Directory): Bucket[] {
  const all = [...numbers.values()];
  const ofChannel = [...channels.values()].map((
    { id, name, settings: { rateMps, burst, costUnit } },
  ): Bucket => ({
    name,
    numbers: all.filter(({ channelId }) => channelId === id).map(({ number }) => number),
    rateMps,
    burst,
    costUnit,
  }));
  const ofNumber = all.flatMap(({ number, rateMps, burst }): Bucket[] =>
    rateMps === null
      ? []
      : [{ name: number, numbers: [number], rateMps, burst: burst ?? 1, costUnit: "message" }]
  );
  return [...ofChannel, ...ofNumber];
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

/** How bad it is in this world: from fair to everything at once. */
function spoil(world: World, carrier: Carrier): void {
  const upTo = (share: number) => world.chance(0.3) ? 0 : world.random() * share;
  world.weather = { lost: upTo(0.03), unanswered: upTo(0.04), late: upTo(0.02), crash: upTo(0.002) };
  carrier.faults = {
    unreached: upTo(0.1),
    lost: upTo(0.05),
    takenUnanswered: upTo(0.1),
    hung: upTo(0.05),
    error: upTo(0.1),
    throttled: upTo(0.1),
    refused: upTo(0.03),
    slow: upTo(0.1),
  };
}

/** Does harm until `untilMs`, at moments of chance. */
function harm(world: World, nodes: Nodes, ingress: Ingress, untilMs: number): void {
  const everyMs = world.between(300, 4_000);
  const away = (place: string) => {
    world.note("harm", `${place} is away`);
    world.away.add(place);
    world.after(world.between(100, 4_000), () => world.away.delete(place));
  };
  const pause = (process: Process | undefined) => {
    process?.pause();
    world.after(world.between(50, 6_000), () => process?.resume());
  };
  const harms: readonly (() => void)[] = [
    () => nodes.any()?.kill(),
    () => nodes.any()?.kill(),
    () => pause(nodes.any()),
    () => pause(nodes.any()),
    () => nodes.leave(),
    () => nodes.start(),
    () => ingress.process.kill(),
    () => pause(ingress.process),
    () => away(DATABASE),
    () => away(BROKER),
    () => nodes.killAll(),
  ];
  const next = () =>
    world.after(world.between(0, 2 * everyMs), () => {
      if (world.nowMs >= untilMs) return;
      world.pick(harms)();
      next();
    });
  next();
}

/** The processes of the system: whoever dies is replaced after a while. */
class Nodes {
  readonly #world: World;
  readonly #start: (process: Process) => { leave(): Promise<void> };
  readonly #running = new Map<Process, { leave(): Promise<void> }>();
  readonly #leaving = new Set<Process>();
  started = 0;

  constructor(world: World, start: (process: Process) => { leave(): Promise<void> }) {
    this.#world = world;
    this.#start = start;
    for (let count = 1 + Math.floor(world.between(0, 3)); count > 0; count--) this.start();
  }

  start(): void {
    if (this.#running.size >= 4) return;
    const process = new Process(this.#world, `node ${++this.started}`, true);
    process.note("starts");
    process.onDeath = () => {
      this.#running.delete(process);
      this.#world.after(this.#world.between(50, 2_000), () => this.start());
    };
    this.#running.set(process, this.#start(process));
  }

  /** One that is running or paused. */
  any(): Process | undefined {
    return this.#running.size === 0 ? undefined : this.#world.pick([...this.#running.keys()]);
  }

  leave(): void {
    const process = this.any();
    if (process?.state !== "running" || this.#leaving.has(process)) return;
    this.#leaving.add(process);
    this.#running.get(process)!.leave();
  }

  killAll(): void {
    for (const process of [...this.#running.keys()]) process.kill();
  }

  /** Lets the paused go on. */
  heal(): void {
    for (const process of this.#running.keys()) process.resume();
    if (this.#running.size === 0) this.start();
  }
}
