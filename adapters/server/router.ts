/**
 * The routing stage of a process: works on partitions of the conversations and of the delivery reports.
 *
 * @module
 */
import type { MessageRow } from "../../core/message.ts";
import type { OutboxRow } from "../../core/outbox.ts";
import type { DeadLetterRow } from "../../core/ports/conversation_store.ts";
import { DISPATCH_PARTITIONS, STATUS_PARTITIONS } from "../../core/partition.ts";
import type { FreshDirectory } from "../../core/ports/directory.ts";
import type { DispatchLog } from "../../core/ports/dispatch_log.ts";
import type { Ingress } from "../../core/ports/ingress.ts";
import type { PartitionKind } from "../../core/ports/partition_store.ts";
import type { Applier } from "../../core/runtime/lane.ts";
import { type LaneView, PartitionOwner } from "../../core/runtime/partition_owner.ts";
import { PendingMatcher } from "../../core/status/pending_matcher.ts";
import { StatusApplier } from "../../core/status/status_applier.ts";
import { ConversationApplier } from "../../routing/conversation_applier.ts";
import type { EventPublisher } from "../nats/event_publisher.ts";
import { languageDetector } from "../language/eld.ts";
import { JetStreamLog } from "../nats/jetstream_log.ts";
import type { LogKind } from "../nats/topology.ts";
import { PostgresConversationStore } from "../postgres/conversation_store.ts";
import { findIdleSessions } from "../postgres/idle_sessions.ts";
import { PostgresPartitionStore } from "../postgres/partition_store.ts";
import { PostgresStatusStore } from "../postgres/status_store.ts";
import { systemClock } from "../system/clock.ts";
import type { Log } from "../system/log.ts";
import { contactBook } from "./contact_book.ts";
import { endHolds } from "./held_sessions.ts";
import { DispatchWork } from "./dispatch.ts";
import type { Metrics, QueueFigures } from "./metrics.ts";
import { deliverOverdueParts } from "./overdue_parts.ts";
import type { Parts } from "./parts.ts";
import { periodically } from "./periodically.ts";
import { sendNudger } from "./send_nudger.ts";

export interface RouterOptions {
  readonly parts: Parts;
  readonly partitions: number;
  readonly directory: FreshDirectory;
  readonly ingress: Ingress & DispatchLog;
  readonly publisher: EventPublisher;
  /** Takes new outbound messages to the send lanes of this process; gives those back that belong to others. */
  readonly onQueued: (messages: readonly MessageRow[]) => readonly MessageRow[];
  /** Told what was committed of a conversations' partition, under its epoch, before it is published. */
  readonly onCommitted: (row: OutboxRow, epoch: number) => void;
  /** Partitions turned out to be another process's. */
  readonly onFenced: (kind: LogKind, partitions: readonly number[]) => void;
  /** Told once files that are to be fetched are committed. */
  readonly onMedia: () => void;
  readonly metrics: () => Metrics;
  readonly log: Log;
  readonly now: () => number;
}

export interface Router {
  readonly owners: Readonly<Record<LogKind, PartitionOwner>>;
  /** How the queues stand, where this process has the dispatcher. */
  queues(): readonly QueueFigures[];
  restart(reason: string): void;
  stop(): Promise<void>;
}

/** Two batches under way keep one core deciding while the database writes. */
const ROUTE_LANES = 2;
const IDLE_SWEEP_MS = 1_000;
const IDLE_BATCH = 1_000;
const HOLD_SWEEP_MS = 1_000;
const PARTS_SWEEP_MS = 1_000;
const PENDING_MS = 1_000;
const LOG_CHECK_MS = 2_000;

/** Makes ready to apply partitions; which ones is for others to say. */
export function startRouter(options: RouterOptions): Router {
  const { parts, directory, now } = options;
  const conversations = new PostgresConversationStore(parts.hotSql);
  const status = new PostgresStatusStore(parts.hotSql);
  const contacts = contactBook(parts, now);
  const nudge = sendNudger(parts);
  const onQueued = (messages: readonly MessageRow[]) => {
    nudge(options.onQueued(messages));
  };
  const statusStream = (partition: number) => parts.names.logStream("status", partition);
  const onDeadLetter = (letter: DeadLetterRow) => {
    options.metrics().deadLetters.inc({ kind: letter.kind });
    options.log.warn("dead-letter", { kind: letter.kind, id: letter.id, reason: letter.reason });
  };
  const route = owner(
    options,
    "route",
    options.partitions,
    ROUTE_LANES,
    ({ epochOf, lowest }) =>
      new ConversationApplier({
        store: conversations,
        directory,
        epochOf,
        shard: lowest,
        streamOf: (partition) => parts.names.logStream("route", partition),
        onQueued,
        onMedia: options.onMedia,
        onCounted: ({ messages, calls }) => {
          for (const { count, ...labels } of messages) options.metrics().messages.inc(labels, count);
          options.metrics().calls.inc({ event: "opened" }, calls.opened);
          options.metrics().calls.inc({ event: "ended" }, calls.ended);
        },
        hasDispatcher: options.publisher.hasDispatcher,
        onDeadLetter,
        contacts,
        languageDetector,
        now,
      }),
  );
  const reports = owner(options, "status", STATUS_PARTITIONS, 1, ({ epochOf }) =>
    new StatusApplier({
      store: status,
      epochOf,
      streamOf: statusStream,
      onDeadLetter,
      now,
    }));
  const dispatching = new DispatchWork({ ...options, entries: options.ingress, onDeadLetter });
  const dispatch = owner(
    options,
    "dispatch",
    DISPATCH_PARTITIONS,
    1,
    (lane) => dispatching.createApplier(lane),
  );
  const owners = { route, status: reports, dispatch };
  const pending = new PendingMatcher({
    store: status,
    partitions: new PostgresPartitionStore(parts.hotSql),
    owned: () => reports.owned,
    publish: (row) => options.publisher.publish(row.payload),
    streamOf: statusStream,
    onDeadLetter,
    now,
  });
  const onError = (name: string, error: Error) =>
    options.log.warn("periodic-work-failed", { name, reason: error.message });
  const stops = [
    dispatching.start(dispatch),
    periodically({
      name: "close idle sessions",
      intervalMs: IDLE_SWEEP_MS,
      run: () => closeIdleSessions(options, route),
      onError,
    }),
    periodically({
      name: "end platforms' holds",
      intervalMs: HOLD_SWEEP_MS,
      run: () => endHolds({ ...options, sql: parts.sql, owner: route }),
      onError,
    }),
    periodically({
      name: "deliver messages whose parts are overdue",
      intervalMs: PARTS_SWEEP_MS,
      run: () => deliverOverdueParts({ ...options, sql: parts.sql, owner: route }),
      onError,
    }),
    periodically({
      name: "match delivery reports that came early",
      intervalMs: PENDING_MS,
      run: async () => void await pending.run(),
      onError,
    }),
    periodically({
      name: "look whether logs were replaced",
      intervalMs: LOG_CHECK_MS,
      run: async () => void await checkLogs(options, owners),
      onError,
    }),
  ];
  return {
    owners,
    queues: () => dispatching.queues(),
    restart: (reason) => {
      for (const owner of Object.values(owners)) owner.restart(reason);
      checkLogs(options, owners).catch((error) => onError("look whether logs were replaced", error as Error));
    },
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()));
      await Promise.all(Object.values(owners).map((owner) => owner.stop()));
    },
  };
}

function owner(
  options: RouterOptions,
  kind: LogKind & PartitionKind,
  count: number,
  lanes: number,
  createApplier: (lane: LaneView) => Applier,
): PartitionOwner {
  const { parts, publisher, log } = options;
  return new PartitionOwner({
    kind,
    partitions: count,
    lanes,
    log: new JetStreamLog({
      connection: parts.connection,
      jsm: parts.jsm,
      names: parts.names,
      kind,
      onRestart: (partition, reason) => log.debug("log-restarted", { kind, partition, reason }),
    }),
    store: new PostgresPartitionStore(parts.hotSql),
    createApplier,
    publish: (row, epoch) => {
      // The others tell of what a conversation told first: they take the longer way.
      if (kind === "route") options.onCommitted(row, epoch);
      return publisher.publish(row.payload);
    },
    onFenced: (partitions) => options.onFenced(kind, partitions),
    onReplaced: (partition, reason) =>
      log.warn("log-replaced", {
        kind,
        partition,
        reason,
        action: "read again from where nothing is missed",
      }),
    onError: (error, tries) => {
      options.metrics().commitFailures.inc({ kind });
      log.warn("batch-failed", { kind, tries, reason: error.message });
    },
    onCommit: (durationMs) => options.metrics().commitSeconds.observe({ kind }, durationMs / 1000),
    clock: systemClock,
  });
}

/** Logs that are gone altogether are made anew; their readers find them. */
async function checkLogs({ parts, log }: RouterOptions, owners: Router["owners"]): Promise<void> {
  const missing = (await Promise.all(Object.values(owners).map((owner) => owner.check()))).flat();
  if (missing.length === 0) return;
  log.error("logs-gone", {
    count: missing.length,
    action: "made anew; what was in them and not applied is lost",
  });
  await parts.ensureStreams();
}

async function closeIdleSessions(options: RouterOptions, route: PartitionOwner): Promise<void> {
  const { parts, ingress, now } = options;
  const partitions = route.owned.map(({ partition }) => partition);
  const idle = await findIdleSessions(parts.sql, partitions, now(), IDLE_BATCH);
  await Promise.all(idle.map((session) =>
    ingress.append({
      kind: "command",
      // The same due time comes again until the close is applied: one key, one effect.
      key: `idle:${session.id}:${session.idleMs}`,
      at: now(),
      number: session.number,
      contact: session.contact,
      author: { kind: "system", id: "idle" },
      command: { kind: "idle", sessionId: session.id },
    })
  ));
}
