/**
 * A real nats-server of its own for a test file, with the streams of an installation.
 *
 * @module
 */
import { join } from "node:path";
import { jetstream, type JetStreamClient, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { findNatsServer } from "../../adapters/embedded/nats_binary.ts";
import { type NatsServer, startNatsServer } from "../../adapters/embedded/nats_server.ts";
import { connectNats, hasAtomicBatches } from "../../adapters/nats/connection.ts";
import { EventPublisher } from "../../adapters/nats/event_publisher.ts";
import { ensureStreams, Names } from "../../adapters/nats/topology.ts";
import type { PatchbayEvent } from "../../core/events.ts";
import { derivedId } from "../../core/ids.ts";

const TOKEN = "test-token";

export interface TestNats extends AsyncDisposable {
  readonly url: string;
  /** Lets exactly these guests in. */
  setGuests: NatsServer["setGuests"];
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly names: Names;
  /** Puts events into the stream as the pipeline does; resolves when they are stored. */
  publish(...events: PatchbayEvent[]): Promise<void>;
  /** Kills the server with SIGKILL and starts it again on its port. */
  restart(): Promise<void>;
}

/** `binary`: path of another nats-server than the one that is used otherwise. */
export async function testNats(binary?: string): Promise<TestNats> {
  const resources = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "patchbay-test-nats-" });
  resources.defer(() => Deno.remove(folder, { recursive: true }));
  const program = binary ?? (await findNatsServer({ dataDir: folder, say: () => {} })).path;
  const start = (port?: number): Promise<NatsServer> =>
    startNatsServer({ folder: join(folder, "nats"), token: TOKEN, program, port });
  let server = await start();
  resources.defer(() => server.stop());
  const connection = await connectNats({ url: server.url, token: TOKEN, name: "test" });
  resources.defer(() => connection.close());
  const jsm = await jetstreamManager(connection);
  const names = new Names("test");
  const atomicBatches = hasAtomicBatches(connection);
  await ensureStreams(jsm, { names, partitions: 1, replicas: 1, retentionMs: 86_400_000, atomicBatches });
  const publisher = new EventPublisher({
    connection,
    names,
    atomic: atomicBatches,
    deliver: () => false,
    command: () => Promise.resolve(),
  });
  return {
    url: server.url,
    setGuests: (guests) => server.setGuests(guests),
    connection,
    js: jetstream(connection),
    jsm,
    names,
    async restart() {
      Deno.kill(server.pid, "SIGKILL");
      await server.exited;
      server = await start(server.port);
    },
    publish: (...events) => publisher.publish({ events }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** The `index`-th event of a test. */
export function testEvent(index: number, fields: Partial<PatchbayEvent> = {}): PatchbayEvent {
  return {
    id: derivedId("event", 1_767_000_000_000, { partition: 0, sequence: index, entry: 0 }, 0),
    type: "message.received",
    atMs: 1_767_000_000_000 + index,
    channelId: "ch_00000000000000000000000001",
    number: "+14155550101",
    audience: {},
    data: { conversationId: `cnv_${"0".repeat(26)}`, index },
    ...fields,
  };
}
