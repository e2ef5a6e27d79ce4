/** Listeners of events that come with the stream or ahead of it, over generated histories of an installation. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { catchUp, EventListeners } from "../../core/event_listeners.ts";
import { placeAfter } from "../../core/event_place.ts";
import { type CloudEvent, type PatchbayEvent, toCloudEvent } from "../../core/events.ts";
import { derivedId } from "../../core/ids.ts";
import type { OutboxRow } from "../../core/outbox.ts";
import type { StreamedEvent } from "../../core/ports/events.ts";

const GENERATION = "g1";
const PROCESSES = 2;
const PARTITIONS = 2;
const CLIENTS = 3;
const AHEAD_MAX = 4;

function eventOf(partition: number, sequence: number, index: number): PatchbayEvent {
  return {
    id: derivedId("event", 1_767_000_000_000, { partition, sequence, entry: index }, 0),
    type: "message.received",
    atMs: 1_767_000_000_000,
    channelId: "ch_00000000000000000000000001",
    number: "+14155550101",
    audience: {},
    data: { partition, place: sequence * 100 + index },
  };
}

class Process {
  listeners: EventListeners;
  readonly queue: OutboxRow[] = [];

  constructor(readonly stream: readonly CloudEvent[]) {
    this.listeners = new EventListeners(GENERATION, stream.length + 1, AHEAD_MAX);
  }

  /** Reads one message of the stream, if there is one. */
  read(): boolean {
    const { next } = this.listeners;
    const event = this.stream[next - 1];
    if (event !== undefined) this.listeners.streamed(next, event);
    return event !== undefined;
  }
}

class Client {
  readonly seen: CloudEvent[] = [];
  ahead = 0;
  place: string | null = null;
  firstFrom = 0;
  process: Process | null = null;
  #detach = () => {};

  connect(process: Process): void {
    const { listeners, stream } = process;
    if (this.place === null) {
      this.firstFrom = listeners.next;
      this.place = `${GENERATION}-${listeners.next - 1}`;
    }
    const place = placeAfter(this.place, GENERATION);
    for (let sequence = place.from; sequence < listeners.next; sequence++) {
      catchUp(place, { generation: GENERATION, sequence, event: stream[sequence - 1]! }, this.#onEvent);
    }
    this.#detach = listeners.attach(place, this.#onEvent);
    this.process = process;
  }

  disconnect(): void {
    this.#detach();
    this.process = null;
  }

  #onEvent = ({ position, event }: StreamedEvent) => {
    this.seen.push(event);
    this.place = position;
    if (this.process !== null && !this.process.stream.includes(event)) this.ahead++;
  };
}

/** An installation: who owns what, what is stored, and what is published. */
class World {
  readonly stream: CloudEvent[] = [];
  readonly #published = new Set<string>();
  readonly processes = Array.from({ length: PROCESSES }, () => new Process(this.stream));
  readonly clients = Array.from({ length: CLIENTS }, () => new Client());
  readonly #partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
    partition,
    owner: 0,
    epoch: 1,
    sequence: 0,
    outbox: [] as OutboxRow[],
  }));

  commit(number: number, events: number): void {
    const own = this.#partitions[number]!;
    own.sequence++;
    const row: OutboxRow = {
      kind: "route",
      partition: number,
      sequence: own.sequence,
      payload: { events: Array.from({ length: events }, (_, i) => eventOf(number, own.sequence, i)) },
    };
    own.outbox.push(row);
    this.#add(row, own);
  }

  /** The answer to a commit was lost: what is in the outbox is all told once more. */
  again(number: number): void {
    const own = this.#partitions[number]!;
    for (const row of own.outbox) this.#add(row, own);
  }

  /** @param forget whether a commit took along that it was published */
  publish(index: number, forget: boolean): boolean {
    const row = this.processes[index]!.queue.shift();
    if (row === undefined) return false;
    for (const event of row.payload.events) {
      if (this.#published.has(event.id)) continue;
      this.#published.add(event.id);
      this.stream.push(structuredClone(toCloudEvent(event)));
    }
    const own = this.#partitions[row.partition]!;
    if (forget) own.outbox = own.outbox.filter((other) => other.sequence > row.sequence);
    return true;
  }

  /** In good order, what was committed is published before. */
  move(number: number): void {
    const own = this.#partitions[number]!;
    const { queue } = this.processes[own.owner]!;
    while (queue.some(({ partition }) => partition === number)) this.publish(own.owner, true);
    this.#gain(number);
  }

  crash(index: number): void {
    for (const client of this.clients) {
      if (client.process === this.processes[index]) client.disconnect();
    }
    this.processes[index] = new Process(this.stream);
    this.#partitions.filter(({ owner }) => owner === index).forEach(({ partition }) => this.#gain(partition));
  }

  #gain(number: number): void {
    const own = this.#partitions[number]!;
    own.owner = (own.owner + 1) % PROCESSES;
    own.epoch++;
    for (const row of own.outbox) this.#add(row, own);
  }

  #add(row: OutboxRow, { owner, epoch }: { owner: number; epoch: number }): void {
    this.processes[owner]!.listeners.committed(row, epoch);
    this.processes[owner]!.queue.push(row);
  }

  /** Everything is published and read, and everybody is there. */
  settle(): void {
    this.processes.forEach((process, index) => {
      while (this.publish(index, true));
      while (process.read());
    });
    for (const process of this.processes) while (process.read());
    for (const client of this.clients) {
      if (client.process === null) client.connect(this.processes[0]!);
    }
  }
}

const partition = fc.nat({ max: PARTITIONS - 1 });
const process = fc.nat({ max: PROCESSES - 1 });
const client = fc.nat({ max: CLIENTS - 1 });
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("commit" as const), partition, events: fc.nat({ max: 3 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("publish" as const), process, forget: fc.boolean() }),
  },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("read" as const), process }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("come or go" as const), client, process }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("move" as const), partition }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("again" as const), partition }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const), process }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function take(world: World, step: Step): void {
  switch (step.kind) {
    case "commit":
      return world.commit(step.partition, step.events);
    case "publish":
      return void world.publish(step.process, step.forget);
    case "read":
      return void world.processes[step.process]!.read();
    case "come or go": {
      const client = world.clients[step.client]!;
      if (client.process === null) client.connect(world.processes[step.process]!);
      else client.disconnect();
      return;
    }
    case "move":
      return world.move(step.partition);
    case "again":
      return world.again(step.partition);
    case "crash":
      return world.crash(step.process);
  }
}

Deno.test("every listener has every event once and in order, wherever it comes from and goes to", () => {
  let ahead = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
      const world = new World();
      world.clients[0]!.connect(world.processes[0]!);
      for (const step of steps) take(world, step);
      world.settle();
      for (const { seen, firstFrom } of world.clients) {
        equal(new Set(seen.map(({ id }) => id)).size, seen.length, "an event came twice");
        deepEqual(
          seen.map(({ id }) => id).sort(),
          world.stream.slice(firstFrom - 1).map(({ id }) => id).sort(),
        );
        for (let number = 0; number < PARTITIONS; number++) {
          const places = seen.filter(({ data }) => data.partition === number).map(({ data }) => data.place);
          deepEqual(places, [...places].sort((a, b) => Number(a) - Number(b)), "out of order");
        }
      }
      ahead += world.clients.reduce((sum, client) => sum + client.ahead, 0);
    }),
    { numRuns: 3_000 },
  );
  ok(ahead > 1_000, `hardly anything was told ahead of the stream: ${ahead}`);
});

Deno.test("what comes faster than it is published comes with the stream, and ahead of it again later", () => {
  const world = new World();
  const [process] = world.processes as [Process];
  const [client] = world.clients as [Client];
  client.connect(process);
  const publishAll = () => {
    while (world.publish(0, true));
    while (process.read());
  };
  world.commit(0, 1);
  equal(client.seen.length, 0, "closed at first");
  publishAll();
  for (let count = 0; count < AHEAD_MAX + 10; count++) world.commit(0, 1);
  equal(client.seen.length, 1 + AHEAD_MAX);
  publishAll();
  equal(client.seen.length, 1 + AHEAD_MAX + 10);
  equal(client.place, `${GENERATION}-${world.stream.length}`);
  world.commit(0, 2);
  equal(client.seen.length, 1 + AHEAD_MAX + 12);
});
