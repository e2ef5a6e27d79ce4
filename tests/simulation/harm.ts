/**
 * What goes wrong in the simulation: how bad the ways are, and what is done to processes.
 *
 * @module
 */
import { BROKER, type Broker } from "./broker.ts";
import type { Carrier } from "./carrier.ts";
import type { Ingress } from "./ingress.ts";
import { DATABASE } from "./node.ts";
import { expireEntries, restoreLogs } from "./restoration.ts";
import type { Tables } from "./tables.ts";
import { Process, type World } from "./world.ts";

/** How bad it is in this world: from fair to everything at once. */
export function spoil(world: World, carrier: Carrier): void {
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

export interface Harmed {
  readonly world: World;
  readonly nodes: Nodes;
  readonly ingress: Ingress;
  readonly broker: Broker;
  readonly tables: Tables;
}

/** Does harm until `untilMs`, at moments of chance. */
export function harm({ world, nodes, ingress, broker, tables }: Harmed, untilMs: number): void {
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
    () => restoreLogs(world, broker, tables),
    () => {
      nodes.killAll();
      restoreLogs(world, broker, tables);
    },
    () => expireEntries(world, broker, tables),
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
export class Nodes {
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
