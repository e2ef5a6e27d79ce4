import { deepEqual, equal, ok } from "node:assert/strict";
import { OutgoingClient } from "../../adapters/http_client/outgoing_client.ts";
import { parseAllowList, PrivateAddressGuard } from "../../adapters/http_client/private_address_guard.ts";
import { PlatformPush } from "../../adapters/platforms/push.ts";
import { signatureHeaders } from "../../adapters/platforms/signature.ts";
import { PostgresDeadLetterStore } from "../../adapters/postgres/dead_letter_store.ts";
import type { Directory, Platform } from "../../core/directory.ts";
import { toCloudEvent } from "../../core/events.ts";
import type { DeadLetterRow } from "../../core/ports/conversation_store.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import { DIRECTORY, PLATFORM } from "../routing/directory.ts";
import { testEvent, type TestNats, testNats } from "../support/nats.ts";
import { testPostgres } from "../support/postgres.ts";
import { pause, until } from "../support/until.ts";

interface Delivered {
  readonly index: number;
  readonly conversationId: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A platform's own server: remembers what it took, in the order in which it answered. */
class Endpoint implements AsyncDisposable {
  readonly took: Delivered[] = [];
  /** Calls under way now and at most. */
  busy = 0;
  busiest = 0;
  /** The status that a call gets; may take its time. */
  answer: (delivered: Delivered) => number | Promise<number> = () => 204;
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    this.busiest = Math.max(this.busiest, ++this.busy);
    try {
      const body = await request.text();
      const delivered = { ...JSON.parse(body).data, headers: request.headers, body } as Delivered;
      const status = await this.answer(delivered);
      if (status < 300) this.took.push(delivered);
      return new Response(null, { status });
    } finally {
      this.busy--;
    }
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/events`;
  }

  get indexes(): number[] {
    return this.took.map(({ index }) => index);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }
}

/** A directory that a test changes. */
class ChangingDirectory implements DirectorySource {
  readonly #listeners = new Set<(directory: Directory) => void>();
  #current: Directory = { ...DIRECTORY, platforms: new Map() };

  current(): Directory {
    return this.#current;
  }

  onChange(listener: (directory: Directory) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  set(...platforms: Platform[]): void {
    const byId = new Map(platforms.map((platform) => [platform.id, platform]));
    this.#current = { ...this.#current, version: this.#current.version + 1, platforms: byId };
    for (const listener of this.#listeners) listener(this.#current);
  }
}

const A = `plt_${"a".repeat(26)}`;
const B = `plt_${"b".repeat(26)}`;

function platform(id: string, endpoint: string | null, enabled = true): Platform {
  const base = DIRECTORY.platforms.get(PLATFORM)!;
  return { ...base, id, name: id, enabled, endpoint, secret: `secret of ${id}` };
}

function conversation(index: number): string {
  return `cnv_${String(index).padStart(26, "0")}`;
}

/** The `index`-th event, of one of three conversations. */
function event(platformId: string, index: number, of = index % 3) {
  return testEvent(index, { audience: { platformId }, data: { conversationId: conversation(of), index } });
}

/** Repeats are allowed, also of what was delivered before `from`: what counts is the order of the first times. */
function inOrder(endpoint: Endpoint, from = 0): void {
  const last = new Map<string, number>();
  const seen = new Set<number>();
  for (const { conversationId, index } of endpoint.took) {
    if (index < from || seen.has(index)) continue;
    seen.add(index);
    ok(index > (last.get(conversationId) ?? -1), `${index} came after ${last.get(conversationId)}`);
    last.set(conversationId, index);
  }
}

async function consumers(nats: TestNats): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of nats.jsm.consumers.list(nats.names.eventStream)) found.push(name);
  return found.filter((name) => name.startsWith("push_"));
}

/** A second of the circuit breaker's is a millisecond here. */
const FAST_CLOCK = {
  monotonic: () => performance.now() * 1_000,
  after: (delayMs: number, run: () => void) => {
    const timer = setTimeout(run, delayMs / 1_000);
    return () => clearTimeout(timer);
  },
};

Deno.test("PlatformPush", async (t) => {
  await using nats = await testNats();
  using http = new OutgoingClient({ guard: new PrivateAddressGuard(parseAllowList("127.0.0.1").list) });
  const directory = new ChangingDirectory();
  const buried: DeadLetterRow[] = [];
  const faults: string[] = [];
  const pauses: number[] = [];
  const health: [platformId: string, reason: string | null][] = [];
  let sequence = 0;
  const create = () =>
    new PlatformPush({
      js: nats.js,
      jsm: nats.jsm,
      names: nats.names,
      directory,
      http,
      deadLetters: { add: (letter) => Promise.resolve(void buried.push(letter)) },
      now: () => Date.now(),
      clock: FAST_CLOCK,
      random: () => 0.5,
      onHealth: (platformId, reason) => health.push([platformId, reason]),
      onFault: (_, reason) => faults.push(reason),
      // Long pauses are not waited for.
      pause: async (ms, signal) => {
        pauses.push(ms);
        await pause(Math.min(ms, 20));
        signal.throwIfAborted();
      },
    });
  const ready = (count: number) =>
    until(`${count} consumers`, async () => (await consumers(nats)).length === count);
  const publish = async (platformId: string, count: number, of?: number) => {
    const events = Array.from({ length: count }, () => event(platformId, ++sequence, of));
    await nats.publish(...events);
    return events;
  };
  let push = create();
  push.start();

  await t.step("delivers what concerns a platform, signed, from when its endpoint was added", async () => {
    await using endpoint = new Endpoint();
    await publish(A, 3);
    directory.set(platform(A, endpoint.url), platform(B, null));
    await ready(1);
    const [first] = await publish(A, 1);
    await publish(B, 2);
    await until("the event", () => endpoint.took.length === 1);
    const { body, headers } = endpoint.took[0]!;
    deepEqual(JSON.parse(body), toCloudEvent(first!));
    equal(headers.get("content-type"), "application/cloudevents+json");
    const at = Number(headers.get("patchbay-timestamp")) * 1_000;
    ok(Math.abs(Date.now() - at) < 60_000);
    const expected = signatureHeaders(`secret of ${A}`, body, at)["Patchbay-Signature"];
    equal(headers.get("patchbay-signature"), expected);
  });

  await t.step("keeps the order of each conversation, and serves conversations side by side", async () => {
    await using endpoint = new Endpoint();
    endpoint.answer = async ({ index }) => {
      await pause(index % 7);
      return index % 10 === 0 && Math.random() < 0.5 ? 503 : 204;
    };
    directory.set(platform(A, endpoint.url));
    const events = Array.from({ length: 200 }, () => event(A, ++sequence, sequence % 50));
    await nats.publish(...events);
    await until("all of them", () => endpoint.took.length === 200);
    inOrder(endpoint);
    ok(endpoint.busiest > 5 && endpoint.busiest <= 32, `${endpoint.busiest} at once`);
  });

  await t.step(
    "a platform that hangs delays neither another one nor more than one conversation",
    async () => {
      await using slow = new Endpoint();
      await using quick = new Endpoint();
      const { promise: release, resolve } = Promise.withResolvers<void>();
      slow.answer = async ({ conversationId }) => {
        if (conversationId === conversation(0)) await release;
        return 204;
      };
      directory.set(platform(A, slow.url), platform(B, quick.url));
      await ready(2);
      const [stuck] = await publish(A, 1, 0);
      await publish(A, 5, 1);
      await publish(B, 20);
      await until("the quick one's", () => quick.took.length === 20);
      await until("the others of the slow one", () => slow.took.length === 5);
      resolve();
      await until("the stuck one", () => slow.took.length === 6);
      equal(slow.took.at(-1)!.index, stuck!.data.index);
    },
  );

  await t.step(
    "what is refused goes to the dead letters at once, what keeps failing after 15 tries",
    async () => {
      await using endpoint = new Endpoint();
      endpoint.answer = ({ index }) => index === sequence - 2 ? 422 : index === sequence - 1 ? 500 : 204;
      directory.set(platform(A, endpoint.url));
      pauses.length = 0;
      const [refused, failing, last] = await publish(A, 3, 0);
      await until("the last", () => endpoint.took.length === 1);
      deepEqual(endpoint.indexes, [last!.data.index]);
      // After the fifth failure in a row the pauses are the circuit breaker's.
      equal(pauses.length, 4);
      equal(buried.length, 2);
      const [first, second] = buried;
      equal(first!.kind, "poisoned");
      equal(first!.stream, nats.names.eventStream);
      equal(first!.reason, `not delivered to ${A} in 1 tries: the endpoint answered 422`);
      deepEqual(JSON.parse(first!.payload), toCloudEvent(refused!));
      deepEqual(JSON.parse(second!.payload), toCloudEvent(failing!));
      // What the real table thinks of it; a repeat after a crash is the same row.
      await using postgres = await testPostgres();
      await using database = await postgres.database();
      const store = new PostgresDeadLetterStore(database.db);
      for (const letter of [first!, second!, first!]) await store.add(letter);
      equal((await store.list(undefined, { limit: 10 })).length, 2);
    },
  );

  await t.step(
    "RT-5: an endpoint that is away is tried with one event at a time; all wait, none is lost, others go on",
    async () => {
      await using away = new Endpoint();
      await using fine = new Endpoint();
      let isAway = true;
      const tried: number[] = [];
      away.answer = ({ index }) => {
        if (!isAway) return 204;
        tried.push(index);
        return 503;
      };
      directory.set(platform(A, away.url), platform(B, fine.url));
      await ready(2);
      health.length = 0;
      const letters = buried.length;
      const events = Array.from({ length: 40 }, () => event(A, ++sequence, sequence % 40));
      await nats.publish(...events);
      await until("it is known to fail", () => push.endpoints.some(({ isFailing }) => isFailing));
      deepEqual(health, [[A, "the endpoint answered 503"]]);
      const before = tried.length;
      await publish(B, 30);
      await until("the fine one's", () => fine.took.length === 30);
      deepEqual(push.endpoints.find(({ platformId }) => platformId === B), {
        platformId: B,
        isFailing: false,
      });
      // More probes than an event has tries: still nothing is given up.
      await until("many probes", () => tried.length >= before + 40);
      // Those that were under way when it opened came at once; since then one comes at a time.
      ok(away.busiest <= 32);
      equal(buried.length, letters);
      isAway = false;
      await until("all of them", () => away.took.length === events.length);
      inOrder(away);
      deepEqual(health.filter(([id]) => id === A).at(-1), [A, null]);
    },
  );

  await t.step("stopped in the middle, goes on where it was: in order, with nothing missed", async () => {
    await using endpoint = new Endpoint();
    directory.set(platform(A, endpoint.url));
    for (let round = 0; round < 4; round++) {
      endpoint.answer = async () => {
        await pause(3);
        return 204;
      };
      const before = endpoint.took.length;
      const events = await publish(A, 60);
      await until("some of them", () => endpoint.took.length >= before + 10);
      await push.stop();
      push = create();
      push.start();
      await until("all of them", () => {
        const seen = new Set(endpoint.indexes);
        return events.every((event) => seen.has(event.data.index as number));
      });
    }
    inOrder(endpoint);
    equal((await consumers(nats)).length, 1);
  });

  await t.step("a broker that is killed and comes back is no reason to miss anything", async () => {
    await using endpoint = new Endpoint();
    endpoint.answer = async () => {
      await pause(2);
      return 204;
    };
    directory.set(platform(A, endpoint.url));
    const events = await publish(A, 100);
    await until("some of them", () => endpoint.took.length >= 10);
    await nats.restart();
    const later = await publish(A, 20);
    await until("all of them", () => {
      const seen = new Set(endpoint.indexes);
      return [...events, ...later].every((event) => seen.has(event.data.index as number));
    });
    inOrder(endpoint, events[0]!.data.index as number);
  });

  await t.step(
    "stops for a platform that is disabled, goes on when it is enabled, forgets one that is deleted",
    async () => {
      await using endpoint = new Endpoint();
      directory.set(platform(A, endpoint.url, false));
      await until("no feed of the deleted one", async () => (await consumers(nats)).length === 1);
      const [missed] = await publish(A, 1);
      await pause(200);
      equal(endpoint.took.length, 0);
      directory.set(platform(A, endpoint.url));
      // Acknowledgements that went down with the broker make repeats, of older events.
      await until("what came meanwhile", () => endpoint.indexes.includes(missed!.data.index as number));
      equal(endpoint.indexes.at(-1), missed!.data.index);
      await push.stop();
      // Deleted while nobody watched.
      directory.set();
      push = create();
      push.start();
      await ready(0);
    },
  );

  await push.stop();
});
