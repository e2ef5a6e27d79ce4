/**
 * The members and their partitions, from what this process hears, what the database says and where the logs stand.
 *
 * @module
 */
import type { ClusterSource, KindView, PartitionView } from "../../core/ports/cluster.ts";
import type { PartitionKind, PartitionRow } from "../../core/ports/partition_store.ts";
import { sendLaneOf } from "../../core/send/queued_message.ts";
import { logBacklogs } from "../nats/log_backlog.ts";
import type { Members } from "../nats/members.ts";
import type { LogKind } from "../nats/topology.ts";
import { PostgresPartitionStore } from "../postgres/partition_store.ts";
import { sendBacklogs } from "../postgres/send_backlog.ts";
import type { Parts } from "./parts.ts";

const KINDS: readonly PartitionKind[] = ["route", "status", "dispatch", "send", "singleton"];

type Backlog = Pick<PartitionView, "lastSequence" | "waiting" | "oldestAgeMs">;
const NOTHING: Backlog = { lastSequence: null, waiting: 0, oldestAgeMs: null };

export function createClusterSource(
  { parts, members, now }: { readonly parts: Parts; readonly members: Members; readonly now: () => number },
): ClusterSource {
  const store = new PostgresPartitionStore(parts.sql);
  return {
    view: async () => {
      const rows = await store.list(KINDS);
      const of = (kind: PartitionKind) => rows.filter((row) => row.kind === kind);
      const kinds = await Promise.all(KINDS.map(async (kind) => {
        const backlog = kind === "send"
          ? await laneBacklogs(parts, now())
          : kind === "singleton"
          ? new Map<number, Backlog>()
          : await readLogBacklogs(parts, kind, of(kind), now());
        return kindView(kind, of(kind), backlog);
      }));
      return { me: members.me, members: members.living(), kinds };
    },
  };
}

function kindView(
  kind: PartitionKind,
  rows: readonly PartitionRow[],
  backlogs: ReadonlyMap<number, Backlog>,
): KindView {
  const hasLog = kind === "route" || kind === "status" || kind === "dispatch";
  return {
    kind,
    partitions: rows.map(({ partition, owner, epoch, cursor }) => ({
      partition,
      owner,
      epoch,
      cursor: hasLog ? cursor : null,
      ...(backlogs.get(partition) ?? NOTHING),
    })),
  };
}

async function readLogBacklogs(
  { jsm, names }: Parts,
  kind: LogKind,
  rows: readonly PartitionRow[],
  nowMs: number,
): Promise<ReadonlyMap<number, Backlog>> {
  const cursors = new Map(rows.map(({ partition, cursor }) => [partition, cursor]));
  const backlogs = await logBacklogs(jsm, names, kind, cursors);
  return new Map([...backlogs].map(([partition, { lastSequence, oldestMs }]) => [partition, {
    lastSequence,
    waiting: Math.max(0, lastSequence - (cursors.get(partition) ?? 0)),
    oldestAgeMs: oldestMs === null ? null : Math.max(0, nowMs - oldestMs),
  }]));
}

async function laneBacklogs({ sql }: Parts, nowMs: number): Promise<ReadonlyMap<number, Backlog>> {
  const lanes = new Map<number, Backlog>();
  for (const { channelId, waiting, oldestMs } of await sendBacklogs(sql, nowMs)) {
    const lane = sendLaneOf(channelId);
    const known = lanes.get(lane) ?? NOTHING;
    lanes.set(lane, {
      lastSequence: null,
      waiting: known.waiting + waiting,
      oldestAgeMs: Math.max(known.oldestAgeMs ?? 0, nowMs - oldestMs),
    });
  }
  return lanes;
}
