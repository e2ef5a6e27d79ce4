import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { DEAD_AFTER_MS, HEARTBEAT_MS, UNSURE_AFTER_MS } from "../../core/membership/liveness.ts";
import { type PartitionHolder, PartitionKeeper } from "../../core/membership/partition_keeper.ts";
import type { PartitionRow } from "../../core/ports/partition_store.ts";

const PARTITIONS = 8;
const HAND_OFF_MS = 3_000;

/** Time that passes when the test says so; everything waiting for it runs in order. */
class Time {
  ms = 0;
  readonly #due: { at: number; run: () => void }[] = [];

  after(delayMs: number, run: () => void): () => void {
    const entry = { at: this.ms + delayMs, run };
    this.#due.push(entry);
    return () => {
      const index = this.#due.indexOf(entry);
      if (index >= 0) this.#due.splice(index, 1);
    };
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.ms + ms;
    for (let events = 0;; events++) {
      ok(events < 5_000, "time stands still");
      await settled();
      const next = this.#due.filter(({ at }) => at <= endMs).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#due.splice(this.#due.indexOf(next), 1);
      this.ms = Math.max(this.ms, next.at);
      next.run();
    }
    this.ms = endMs;
  }
}

/** Lets everything go on that waits for nothing but its turn. */
async function settled(): Promise<void> {
  for (let i = 0; i < 40; i++) await Promise.resolve();
}

/** Some processes over one table of partitions; the work of each is a set of what it believes to have. */
class World {
  readonly time = new Time();
  readonly rows: PartitionRow[] = Array.from({ length: PARTITIONS }, (_, partition) => (
    { kind: "route", partition, epoch: 0, owner: null, cursor: 0, cursorStored: null, logCreated: null }
  ));
  readonly processes = new Map<string, Process>();

  update(partition: number, changes: Partial<PartitionRow>): void {
    this.rows[partition] = { ...this.rows[partition]!, ...changes };
  }

  add(id: string): Process {
    const process = new Process(this, id);
    this.processes.set(id, process);
    process.keeper.start(0);
    return process;
  }

  /** Lets time pass, and looks at everybody all the while. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 200) {
      await this.time.pass(Math.min(left, 200));
      for (const process of this.processes.values()) process.check();
    }
  }

  wakeAll(): void {
    for (const { keeper, state } of this.processes.values()) if (state === "running") keeper.wake();
  }
}

class Process {
  state: "running" | "paused" | "leaving" | "dead" = "running";
  /** When its newest sign of life was given. */
  seenMs: number;
  lostSomething = 0;
  /** Its signs of life are not taken. */
  isMute = false;
  /** Whose signs of life it does not hear. */
  readonly deafTo = new Set<Process>();
  /** Since when it works, under an epoch, on what is somebody else's, or without being sure. */
  #wrongSinceMs = new Map<string, number>();
  readonly working = new Map<number, number>();
  readonly keeper: PartitionKeeper;

  constructor(readonly world: World, readonly id: string) {
    this.seenMs = world.time.ms;
    this.#beat();
    const { working } = this;
    const holder: PartitionHolder = {
      kind: "route",
      partitions: PARTITIONS,
      role: "router",
      handOffMsMax: HAND_OFF_MS,
      gain: (owned) => {
        for (const { partition, epoch } of owned) {
          ok(!working.has(partition), "gained twice");
          working.set(partition, epoch);
        }
        return Promise.resolve();
      },
      lose: (partitions) => {
        for (const partition of partitions) working.delete(partition);
        return Promise.resolve();
      },
    };
    this.keeper = new PartitionKeeper({
      store: {
        list: () => this.#whenRunning(() => world.rows.map((row) => ({ ...row }))),
        take: (_, judged) =>
          this.#whenRunning(() =>
            judged.filter(({ partition, epoch }) => world.rows[partition]!.epoch === epoch)
              .map(({ partition, epoch }) => {
                world.update(partition, { epoch: epoch + 1, owner: id });
                return { partition, epoch: epoch + 1, cursor: 0, cursorStored: null, logCreated: null };
              })
          ),
        release: (_, owned) =>
          this.#whenRunning(() => {
            for (const { partition, epoch } of owned) {
              if (world.rows[partition]!.epoch === epoch) world.update(partition, { owner: null });
            }
          }),
      },
      members: {
        me: id,
        candidates: () =>
          [...world.processes.values()].filter((one) => one.state !== "leaving" && this.#isAlive(one))
            .map((one) => one.id),
        isAlive: (member) => this.#isAlive(world.processes.get(member)),
        isSure: () => world.time.ms - this.seenMs < UNSURE_AFTER_MS,
      },
      holders: [holder],
      clock: {
        now: () => world.time.ms,
        monotonic: () => world.time.ms,
        after: (ms, run) => world.time.after(ms, () => this.#whenRunning(run)),
      },
      nudge: () => world.wakeAll(),
      onError: (error) => {
        throw error;
      },
      onChange: (_, change) => {
        if (change === "taken") this.lostSomething++;
      },
    });
  }

  /** A running process notices before long that it was overruled, or that nobody hears it. */
  check(): void {
    const { rows, time } = this.world;
    const isSure = time.ms - this.seenMs < UNSURE_AFTER_MS;
    const wrong = this.state !== "running"
      ? []
      : [...this.working].filter(([partition, epoch]) => rows[partition]!.epoch !== epoch || !isSure).map((
        entry,
      ) => entry.join(" "));
    this.#wrongSinceMs = new Map(wrong.map((key) => [key, this.#wrongSinceMs.get(key) ?? time.ms]));
    for (const sinceMs of this.#wrongSinceMs.values()) {
      ok(time.ms - sinceMs <= 700, `${this.id} did not notice`);
    }
  }

  goOn(): void {
    if (this.state === "paused") this.state = "running";
  }

  async leave(): Promise<void> {
    this.state = "leaving";
    this.world.wakeAll();
    await this.keeper.stop();
    this.state = "dead";
    this.seenMs = -Infinity;
  }

  /** A paused process does nothing until it goes on, a dead one nothing any more. */
  async #whenRunning<T>(run: () => T): Promise<T> {
    while (this.state === "paused") {
      await new Promise<void>((resolve) => this.world.time.after(100, resolve));
    }
    if (this.state === "dead") return await new Promise<T>(() => {});
    return run();
  }

  #isAlive(process: Process | undefined): boolean {
    return process !== undefined && !this.deafTo.has(process) &&
      this.world.time.ms - process.seenMs < DEAD_AFTER_MS;
  }

  #beat(): void {
    if (this.state === "dead") return;
    if (this.state !== "paused" && !this.isMute) this.seenMs = this.world.time.ms;
    this.world.time.after(HEARTBEAT_MS, () => this.#beat());
  }
}

/** Who works on each partition under the epoch that counts. */
function workers(world: World): string[] {
  return world.rows.map(({ partition, epoch }) =>
    [...world.processes.values()].filter(({ state, working }) =>
      state !== "dead" && working.get(partition) === epoch
    ).map(({ id }) => id).join("+")
  );
}

function sharesOf(names: readonly string[]): number[] {
  return [...Map.groupBy(names, (name) => name).values()].map(({ length }) => length).sort();
}

Deno.test("a process alone takes everything at once, a second one gets its half, and a third its share", async () => {
  const world = new World();
  world.add("a");
  await world.time.pass(0);
  deepEqual(workers(world), Array(PARTITIONS).fill("a"));
  world.add("b");
  world.wakeAll();
  await world.time.pass(20);
  deepEqual(sharesOf(workers(world)), [4, 4]);
  world.add("c");
  world.wakeAll();
  await world.time.pass(20);
  deepEqual(sharesOf(workers(world)), [2, 3, 3]);
  ok(
    [...world.processes.values()].every(({ lostSomething }) => lostSomething === 0),
    "nothing was taken by force",
  );
});

Deno.test("what leaves hands over at once, what dies is replaced when it is known to be dead", async () => {
  const world = new World();
  for (const id of ["a", "b", "c"]) world.add(id);
  await world.time.pass(2_000);
  await world.processes.get("a")!.leave();
  await world.time.pass(0);
  deepEqual(sharesOf(workers(world)), [4, 4]);
  world.processes.get("b")!.state = "dead";
  await world.time.pass(DEAD_AFTER_MS - 2 * HEARTBEAT_MS);
  equal(workers(world).filter((name) => name === "c").length, 4);
  await world.time.pass(3 * HEARTBEAT_MS);
  deepEqual(workers(world), Array(PARTITIONS).fill("c"));
});

Deno.test("whoever joins, leaves, dies, pauses, goes deaf or mute: nobody works on for long on what is another's, and in the end each partition is worked on by one living process, evenly", async () => {
  const step = fc.record({
    what: fc.constantFrom("join", "leave", "die", "pause", "go on", "go deaf", "be mute"),
    whom: fc.nat(3),
    thenMs: fc.nat(4_000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const world = new World();
      world.add("first");
      let joined = 0;
      for (const { what, whom, thenMs } of steps) {
        const living = [...world.processes.values()].filter(({ state }) => state !== "dead");
        const chosen = living[whom % living.length];
        if (what === "join") world.add(`p${joined++}`);
        else if (living.length > 1 && chosen !== undefined) {
          // It takes a moment of the time that passes below.
          if (what === "leave" && chosen.state === "running") chosen.leave();
          if (what === "die") chosen.state = "dead";
          if (what === "pause" && chosen.state === "running") chosen.state = "paused";
          if (what === "go on") chosen.goOn();
          if (what === "go deaf") living.forEach((other) => other !== chosen && chosen.deafTo.add(other));
          if (what === "be mute") chosen.isMute = true;
        }
        world.wakeAll();
        await world.pass(thenMs);
      }
      for (const process of world.processes.values()) {
        process.goOn();
        process.deafTo.clear();
        process.isMute = false;
      }
      await world.pass(12_000);
      const living = [...world.processes.values()].filter(({ state }) => state === "running");
      const names = workers(world);
      ok(names.every((name) => living.some(({ id }) => id === name)), `worked on by ${names}`);
      const counts = living.map(({ id }) => names.filter((name) => name === id).length);
      ok(Math.max(...counts) - Math.min(...counts) <= 1, `shares ${counts}`);
    }),
    { numRuns: 60 },
  );
});
