import { deepEqual, equal, match } from "node:assert/strict";
import { EventHub } from "../../adapters/nats/event_hub.ts";
import { eventRoutes } from "../../adapters/http/runtime/events.ts";
import { type CloudEvent, type PatchbayEvent, toCloudEvent } from "../../core/events.ts";
import type { EventSource, StreamedEvent } from "../../core/ports/events.ts";
import { ALICE, QUEUE } from "../routing/directory.ts";
import { testEvent, type TestNats, testNats } from "../support/nats.ts";
import { testPostgres } from "../support/postgres.ts";
import { until } from "../support/until.ts";
import { Fixture, KEYS } from "./fixture.ts";

interface Received {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly comment?: string;
}

/** A client's side of `/v1/events`. */
class Client {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";
  lastId = "";

  constructor(response: Response) {
    this.#reader = response.body!.getReader();
  }

  /** The next block, whatever it is; undefined at the end. */
  async block(): Promise<Received | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = parse(this.#text.slice(0, end));
        this.#text = this.#text.slice(end + 2);
        this.lastId = block.id ?? this.lastId;
        return block;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** The next `count` events. */
  async take(count: number): Promise<CloudEvent[]> {
    const events: CloudEvent[] = [];
    while (events.length < count) {
      const block = await this.block();
      if (block === undefined) throw new Error("the stream ended");
      if (block.data !== undefined) events.push(JSON.parse(block.data));
    }
    return events;
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }
}

function parse(block: string): Received {
  return Object.fromEntries(
    block.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [colon === 0 ? "comment" : line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

/** Hands over what a test says, when it says so. */
class ScriptedSource implements EventSource {
  readonly listeners = new Set<(event: StreamedEvent) => void>();
  readonly asked: (string | undefined)[] = [];

  position(): Promise<string> {
    return Promise.resolve("g-7");
  }

  async subscribe({ after, onEvent, signal }: Parameters<EventSource["subscribe"]>[0]): Promise<void> {
    this.asked.push(after);
    this.listeners.add(onEvent);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    this.listeners.delete(onEvent);
  }

  emit(index: number, event: CloudEvent): void {
    for (const listener of this.listeners) listener({ position: `g-${index}`, event });
  }
}

const indexes = (events: readonly CloudEvent[]) => events.map((event) => event.data.index);

Deno.test("/v1/events", async (t) => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();

  await t.step("over a scripted source", async (t) => {
    const source = new ScriptedSource();
    const routes = eventRoutes({ events: source, heartbeatMs: 50, bufferBytesMax: 20_000, clientsMax: 2 });
    const fixture = new Fixture(database, [routes]);
    const listen = (key: string, query = "", headers: Record<string, string> = {}) =>
      fixture.app.request(`/v1/events${query}`, { headers: { authorization: `Bearer ${key}`, ...headers } });
    const emit = (index: number, fields = {}) => source.emit(index, toCloudEvent(testEvent(index, fields)));

    await t.step("says at once where it stands, then sends events as they come", async () => {
      const response = await listen("admin");
      equal(response.status, 200);
      equal(response.headers.get("content-type"), "text/event-stream");
      match(response.headers.get("cache-control")!, /no-transform/);
      const client = new Client(response);
      deepEqual(await client.block(), { retry: "1000", id: "g-7" });
      deepEqual(source.asked, ["g-7"]);
      emit(8);
      const block = await client.block();
      equal(block!.id, "g-8");
      equal(block!.event, "message.received");
      deepEqual(JSON.parse(block!.data!), toCloudEvent(testEvent(8)));
      await client.leave();
      equal(source.listeners.size, 0);
    });

    await t.step("sends each role its own, by type if asked", async () => {
      const client = new Client(await listen("alice", "?types=message.received,session.offered"));
      emit(8, { audience: { platformId: "plt_x" } });
      emit(9, { audience: { extensionId: ALICE }, type: "message.sent" });
      emit(10, { audience: { queueId: QUEUE }, type: "session.offered" });
      emit(11, { audience: { extensionId: ALICE } });
      deepEqual(indexes(await client.take(2)), [10, 11]);
      await client.leave();
      equal((await listen("alice", "?types=message.lost")).status, 400);
    });

    await t.step("moves the client's place on over what is not for it", async () => {
      const client = new Client(await listen("bot"));
      emit(20);
      emit(21);
      while (client.lastId !== "g-21") await client.block();
      match((await client.block())!.comment ?? "none", /^$/);
      await client.leave();
    });

    await t.step("resumes from the header, else from the query", async () => {
      source.asked.length = 0;
      for (
        const response of [
          await listen("admin", "?lastEventId=g-3"),
          await listen("admin", "?lastEventId=g-3", { "last-event-id": "g-5" }),
        ]
      ) await response.body!.cancel();
      deepEqual(source.asked, ["g-3", "g-5"]);
      const wrong = await listen("admin", "?lastEventId=yesterday");
      equal((await wrong.json()).errors[0].field, "lastEventId");
    });

    await t.step("sends away a client that does not read, and nobody else", async () => {
      const [slow, quick] = [await listen("admin"), await listen("admin")];
      const client = new Client(quick);
      for (let index = 30; index < 130; index++) {
        emit(index);
        deepEqual(indexes(await client.take(1)), [index]);
      }
      equal(source.listeners.size, 1);
      await slow.body!.getReader().read().then(() => {
        throw new Error("the slow client still gets something");
      }, (error) => match(String(error), /does not keep up/));
      await client.leave();
    });

    await t.step("ends when the key is no longer valid", async () => {
      const client = new Client(await listen("alice"));
      await client.block();
      const before = fixture.directory;
      fixture.directory = { ...before, keys: new Map() };
      while (await client.block() !== undefined);
      fixture.directory = { ...before, keys: KEYS };
      equal(source.listeners.size, 0);
    });

    await t.step("has room for a bounded number of clients", async () => {
      const clients = [await listen("admin"), await listen("admin")];
      const third = await listen("admin");
      equal(third.status, 503);
      await third.body!.cancel();
      for (const client of clients) await client.body!.cancel();
      equal((await fixture.app.request("/v1/events")).status, 401);
    });
    deepEqual(fixture.errors, []);
  });

  await t.step("over a real stream and a socket", async (t) => {
    await using nats = await testNats();
    const hub = new EventHub(nats.connection, nats.jsm, nats.names, "test");
    const fixture = new Fixture(database, [eventRoutes({ events: hub })]);
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      fixture.app.fetch,
    );
    const listen = async (lastEventId: string) =>
      new Client(
        await fetch(`http://127.0.0.1:${server.addr.port}/v1/events`, {
          headers: {
            authorization: "Bearer admin",
            "accept-encoding": "gzip",
            ...(lastEventId === "" ? {} : { "last-event-id": lastEventId }),
          },
        }),
      );

    await t.step("resumes after every break with nothing missed", () => resumes(nats, listen));
    await t.step(
      "tells what is committed before it is published, once",
      () => tellsAhead(nats, hub, listen),
    );
    hub.stop();
    deepEqual(fixture.errors, []);
  });
});

type Listen = (lastEventId: string) => Promise<Client>;

async function resumes(nats: TestNats, listen: Listen): Promise<void> {
  const events = Array.from({ length: 300 }, (_, index) => testEvent(index));
  let client = await listen("");
  await client.block();
  // The first break comes before any event: the place told at the beginning has to do.
  let { lastId } = client;
  await client.leave();
  const publishing = (async () => {
    for (const event of events) await nats.publish(event);
  })();
  const seen: CloudEvent[] = [];
  while (seen.length < events.length) {
    client = await listen(lastId);
    seen.push(...await client.take(Math.min(60, events.length - seen.length)));
    lastId = client.lastId;
    await client.leave();
  }
  await publishing;
  deepEqual(seen, events.map(toCloudEvent));
}

async function tellsAhead(nats: TestNats, hub: EventHub, listen: Listen): Promise<void> {
  const [first, ...rest] = Array.from({ length: 5 }, (_, index) => testEvent(1_000 + index));
  const [second, third, fourth, fifth] = rest.map((event) => event!);
  const commit = (event: PatchbayEvent) =>
    hub.committed({
      kind: "route",
      partition: 0,
      sequence: Number(event.data.index),
      payload: { events: [event] },
    }, 1);
  let client = await listen("");
  await nats.publish(testEvent(999));
  await client.take(1);
  commit(first!);
  await nats.publish(first!);
  deepEqual(await client.take(1), [toCloudEvent(first!)], "the first of an owner comes with the stream");
  const place = client.lastId;
  commit(second!);
  commit(third!);
  deepEqual(await client.take(2), [second!, third!].map(toCloudEvent), "nothing of it is published yet");
  match(client.lastId, new RegExp(`^${place}\\.[0-9a-v]{26}\\.[0-9a-v]{26}$`));
  await client.leave();
  client = await listen(client.lastId);
  await nats.publish(second!, third!, fourth!);
  deepEqual(await client.take(1), [toCloudEvent(fourth!)], "what it had is passed over");
  match(client.lastId, /^[0-9a-z]+-\d+$/);
  await client.leave();
  // It had the second of them only, and comes to a process that never told it anything.
  const other = new EventHub(nats.connection, nats.jsm, nats.names, "other");
  const seen: StreamedEvent[] = [];
  const leaving = new AbortController();
  const after = `${place}.${second!.id.slice("evt_".length)}`;
  const subscribed = other.subscribe({ after, onEvent: (event) => seen.push(event), signal: leaving.signal });
  await nats.publish(fifth!);
  await until("the events come", () => seen.length === 3);
  deepEqual(seen.map(({ event }) => event), [third!, fourth!, fifth!].map(toCloudEvent));
  leaving.abort();
  await subscribed;
}
