/**
 * One process of the system in the simulation: the real routing, status and sending halves and the real keeper of
 * partitions, over simulated stores, logs and members. It is put together as `adapters/server` does it.
 *
 * @module
 */
import { PartitionKeeper } from "../../core/membership/partition_keeper.ts";
import type { OutboxRow } from "../../core/outbox.ts";
import type { ConversationStore } from "../../core/ports/conversation_store.ts";
import type { FreshDirectory } from "../../core/ports/directory.ts";
import type { PartitionStore } from "../../core/ports/partition_store.ts";
import type { SendStore } from "../../core/ports/send_store.ts";
import type { StatusStore } from "../../core/ports/status_store.ts";
import { PartitionOwner } from "../../core/runtime/partition_owner.ts";
import { SendWorker } from "../../core/send/send_worker.ts";
import { PendingMatcher } from "../../core/status/pending_matcher.ts";
import { StatusApplier } from "../../core/status/status_applier.ts";
import { ConversationApplier } from "../../routing/conversation_applier.ts";
import type { Broker, LogKind } from "./broker.ts";
import { type Carrier, provider } from "./carrier.ts";
import { SimulatedConversations } from "./conversation_store.ts";
import { SimulatedMembers } from "./members.ts";
import { SimulatedPartitions } from "./partition_store.ts";
import { SimulatedSends } from "./send_store.ts";
import { SimulatedStatuses } from "./status_store.ts";
import type { AtOnce, Tables } from "./tables.ts";
import type { Process, World } from "./world.ts";

export const DATABASE = "the database";
const PENDING_MS = 1_000;
const LOG_CHECK_MS = 2_000;
const START_MS_MAX = 5_000;

export interface NodeOptions {
  readonly world: World;
  readonly process: Process;
  readonly broker: Broker;
  readonly tables: Tables;
  readonly carrier: Carrier;
  readonly directory: FreshDirectory;
  readonly counts: Readonly<Record<LogKind, number>>;
}

/** Starts the process's work. It takes part as long as the process lives. Gives the way to leave in good order. */
export function startNode(options: NodeOptions): { leave(): Promise<void> } {
  const { world, process, broker, carrier, directory, counts } = options;
  const { clock } = process;
  const stores = storesOf(options);
  const publish = (row: OutboxRow) => broker.publish(process, row);
  const onError = (error: Error, what: string | number) => process.note(`${what}: ${error.message}`);
  const members = new SimulatedMembers(process, broker);
  const onReplaced = (partition: number, reason: string) => process.note(`log ${partition}: ${reason}`);
  const common = { clock, publish, store: stores.partitions, onError, onReplaced };

  const route: PartitionOwner = new PartitionOwner({
    ...common,
    kind: "route",
    partitions: counts.route,
    lanes: 2,
    log: broker.logOf(process, "route"),
    onFenced: (partitions) => keeper.taken("route", partitions),
    createApplier: ({ epochOf, lowest }) =>
      new ConversationApplier({
        store: stores.conversations,
        directory,
        epochOf,
        shard: lowest,
        streamOf: (partition) => `IN_${partition}`,
        onQueued: (messages) => broker.queued(process, messages),
        hasDispatcher: false,
        onDeadLetter: () => {},
        contacts: { ofContacts: () => Promise.resolve(new Map()) },
        languageDetector: () => Promise.resolve(() => null),
        now: clock.now,
      }),
  });
  const streamOf = (partition: number) => `STATUS_${partition}`;
  const reports: PartitionOwner = new PartitionOwner({
    ...common,
    kind: "status",
    partitions: counts.status,
    lanes: 1,
    log: broker.logOf(process, "status"),
    onFenced: (partitions) => keeper.taken("status", partitions),
    createApplier: ({ epochOf }) =>
      new StatusApplier({ store: stores.statuses, epochOf, streamOf, now: clock.now }),
  });
  const sender: SendWorker = new SendWorker({
    isSure: () => members.isSure(),
    store: stores.sends,
    partitions: stores.partitions,
    directory,
    providers: new Map([[provider.kind, provider]]),
    call: (channel, call) => carrier.call(process, channel, call),
    statusUrl: (_, messageId) => `http://patchbay.test/${messageId}`,
    publish,
    clock,
    random: world.random,
    onFenced: (lanes) => keeper.taken("send", lanes),
    onError,
  });
  const keeper: PartitionKeeper = new PartitionKeeper({
    store: stores.partitions,
    members,
    holders: [route, reports, sender],
    clock,
    nudge: () => broker.released(process),
    onError,
    onChange: (kind, change, partitions) => process.note(`${kind} ${partitions.join(",")} ${change}`),
  });
  const pending = new PendingMatcher({
    store: stores.statuses,
    partitions: stores.partitions,
    owned: () => reports.owned,
    publish,
    streamOf,
    now: clock.now,
  });
  const match = () => {
    clock.after(PENDING_MS, () => {
      pending.run().catch((error) => onError(error, "match reports")).finally(match);
    });
  };
  const checkLogs = () => {
    clock.after(LOG_CHECK_MS, () => {
      Promise.all([route.check(), reports.check()]).catch((error) => onError(error, "check the logs"))
        .finally(checkLogs);
    });
  };

  broker.listen(process, {
    onSign: (info) => members.hear(info) && keeper.wake(),
    onGone: (id) => members.gone(id) && keeper.wake(),
    onReleased: () => keeper.wake(),
    onQueued: (messages) => sender.onNudge(messages),
  });
  sender.start();
  match();
  checkLogs();
  members.join(() => keeper.wake()).then(() => keeper.start(START_MS_MAX));
  return {
    leave: async () => {
      process.note("leaves");
      await members.leave();
      await keeper.stop();
      await Promise.all([route.stop(), reports.stop(), sender.stop()]);
      await members.close();
      process.kill();
    },
  };
}

interface Stores {
  readonly partitions: PartitionStore;
  readonly conversations: ConversationStore;
  readonly sends: SendStore;
  readonly statuses: StatusStore;
}

/** The stores over the tables, each method a call to the database. */
function storesOf({ world, process, tables }: NodeOptions): Stores {
  const later = (run: () => void) => {
    world.after(
      world.between(1, 500),
      () => world.away.has(DATABASE) || world.chance(world.weather.lost) || run(),
    );
  };
  const remote = <Store>(name: string, store: AtOnce<Store>): Store =>
    new Proxy(store as object, {
      get: (target, method) => (...parameters: unknown[]) =>
        world.call(process, DATABASE, `${name}.${String(method)}`, () => {
          const result = Reflect.get(target, method).apply(target, parameters);
          process.note(`${name}.${String(method)}${brief(result)}`);
          return result;
        }),
    }) as Store;
  return {
    partitions: remote<PartitionStore>("partitions", new SimulatedPartitions(tables)),
    conversations: remote<ConversationStore>("conversations", new SimulatedConversations(tables, later)),
    sends: remote<SendStore>("sends", new SimulatedSends(tables)),
    statuses: remote<StatusStore>("statuses", new SimulatedStatuses(tables)),
  };
}

function brief(result: unknown): string {
  if (typeof result === "string") return `: ${result}`;
  if (result !== null && typeof result === "object" && "changed" in result) {
    return `: changed ${[...(result.changed as Set<string>)].join(",") || "nothing"}`;
  }
  return "";
}
