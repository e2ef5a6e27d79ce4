/**
 * The dispatcher on its real runtime — stream, fenced commits in PostgreSQL, outbox — with conversations that answer
 * from memory.
 *
 * @module
 */
import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats, hasAtomicBatches } from "../adapters/nats/connection.ts";
import { JetStreamLog } from "../adapters/nats/jetstream_log.ts";
import { LogIngress } from "../adapters/nats/log_ingress.ts";
import { ensureStreams, Names } from "../adapters/nats/topology.ts";
import { connectDatabase } from "../adapters/postgres/database.ts";
import { PostgresDispatchStore } from "../adapters/postgres/dispatch_store.ts";
import { migrateDatabase } from "../adapters/postgres/migrate.ts";
import { PostgresPartitionStore } from "../adapters/postgres/partition_store.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { DispatchApplier } from "../core/dispatch/dispatch_applier.ts";
import type { DispatchEntry, SessionFact } from "../core/dispatch/entry.ts";
import type { DispatchCommand } from "../core/dispatch/outcome.ts";
import type { OutboxRow } from "../core/outbox.ts";
import { PartitionOwner } from "../core/runtime/partition_owner.ts";
import type { SystemUnderTest } from "./system_under_test.ts";

const PARTITIONS = 4;
const HOT_CONNECTIONS = 4;
const DAY_MS = 86_400_000;

export interface DispatchRuntime extends AsyncDisposable {
  tell(entries: readonly DispatchEntry[]): Promise<void>;
}

export interface RuntimeOptions {
  readonly system: SystemUnderTest;
  readonly directory: Parameters<typeof officeSource>[0];
  /** Told of every command once it is committed; gives the facts that come of it. */
  readonly onCommand: (command: DispatchCommand) => readonly SessionFact[];
}

function officeSource(directory: ReturnType<DispatchSource["current"]>): DispatchSource {
  return { current: () => directory, onChange: () => () => {} };
}

type DispatchSource = ConstructorParameters<typeof DispatchApplier>[0]["directory"];

/** Takes the dispatcher's partition in this very process. */
export async function startDispatchRuntime(
  { system, directory, onCommand }: RuntimeOptions,
): Promise<DispatchRuntime> {
  const stack = new AsyncDisposableStack();
  const { natsUrl, natsToken, databaseUrl } = system.embedded;
  const sql = connectDatabase(databaseUrl, { max: HOT_CONNECTIONS, applicationName: "patchbay bench" });
  stack.defer(() => sql.end({ timeout: 2 }));
  await migrateDatabase(sql, { partitions: PARTITIONS, nowMs: Date.now() });
  const connection = await connectNats({ url: natsUrl, token: natsToken, name: "patchbay bench" });
  stack.defer(() => connection.close());
  const jsm = await jetstreamManager(connection);
  const names = new Names("patchbay");
  const atomicBatches = hasAtomicBatches(connection);
  await ensureStreams(jsm, {
    names,
    partitions: PARTITIONS,
    replicas: 1,
    retentionMs: DAY_MS,
    atomicBatches,
  });
  const ingress = new LogIngress({
    connection,
    names,
    partitions: PARTITIONS,
    processId: "bench",
    configuration: () => 1,
    clock: systemClock,
    maxPending: Infinity,
  });
  stack.defer(() => ingress.stop());
  const store = new PostgresPartitionStore(sql);
  const publish = async (row: OutboxRow) => {
    const facts = (row.payload.commands ?? []).flatMap(({ command }) =>
      onCommand(command as DispatchCommand)
    );
    if (facts.length > 0) await ingress.tell(facts);
  };
  const owner = new PartitionOwner({
    kind: "dispatch",
    partitions: 1,
    lanes: 1,
    log: new JetStreamLog({ connection, jsm, names, kind: "dispatch" }),
    store,
    createApplier: ({ epochOf }) =>
      new DispatchApplier({
        store: new PostgresDispatchStore(sql),
        directory: officeSource(directory),
        epochOf,
        streamOf: (partition) => names.logStream("dispatch", partition),
        onDeadLetter: ({ reason }) => console.error(reason),
        onDue: () => {},
        onDecided: () => {},
        now: Date.now,
      }),
    publish,
    onFenced: () => console.error("fenced"),
    onError: (error) => console.error(error.message),
    onReplaced: () => {},
    clock: systemClock,
  });
  const [row] = await store.list(["dispatch"]);
  await owner.gain(await store.take("dispatch", [row!], "bench"));
  stack.defer(async () => {
    await owner.lose([0], "released");
    await owner.stop();
  });
  return {
    tell: (entries) => ingress.tell(entries),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
