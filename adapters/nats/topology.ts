/**
 * Names of subjects and streams, and the streams themselves.
 *
 * @module
 */
import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { type EventType, subjectToken } from "../../core/events.ts";
import { DISPATCH_PARTITIONS, STATUS_PARTITIONS } from "../../core/partition.ts";

/** The logs that partitions are applied from. */
export type LogKind = "route" | "status" | "dispatch";

/** How each kind is called in subjects and in streams. */
const LOG_NAMES: Readonly<Record<LogKind, { readonly subject: string; readonly stream: string }>> = {
  route: { subject: "in", stream: "IN" },
  status: { subject: "status", stream: "STATUS" },
  dispatch: { subject: "dispatch", stream: "DISPATCH" },
};

const twoDigits = (n: number) => String(n).padStart(2, "0");

/** Enough to follow what is new, and to read again beside it, for two programs. */
const PLATFORM_FEEDS = 4;

/** All names of one installation; `namespace` is their prefix. */
export class Names {
  readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  logSubject(kind: LogKind, partition: number): string {
    return `${this.namespace}.${LOG_NAMES[kind].subject}.${twoDigits(partition)}`;
  }

  logSubjects(kind: LogKind): string {
    return `${this.namespace}.${LOG_NAMES[kind].subject}.*`;
  }

  logStream(kind: LogKind, partition: number): string {
    return `${this.#logPrefix(kind)}${twoDigits(partition)}`;
  }

  /** The partition of a stream; null for one that is no log of this kind. */
  partitionOfLog(kind: LogKind, stream: string): number | null {
    const prefix = this.#logPrefix(kind);
    const digits = stream.startsWith(prefix) ? stream.slice(prefix.length) : "";
    return /^\d+$/.test(digits) ? Number(digits) : null;
  }

  #logPrefix(kind: LogKind): string {
    return `${this.namespace}_${LOG_NAMES[kind].stream}_`;
  }

  get eventStream(): string {
    return `${this.namespace}_EVENTS`;
  }

  get mediaBucket(): string {
    return `${this.namespace}_MEDIA`;
  }

  /** What subscribers listen to; documented in the contract. */
  eventSubject(channelId: string, number: string, type: EventType): string {
    return `${this.namespace}.events.${channelId}.${subjectToken(number)}.${type}`;
  }

  get allEvents(): string {
    return `${this.namespace}.events.>`;
  }

  platformSubject(platformId: string, type: EventType): string {
    return `${this.namespace}.platform.${platformId}.${type}`;
  }

  platformEvents(platformId: string): string {
    return `${this.namespace}.platform.${platformId}.*.*`;
  }

  /** Requests of all platforms; the platform's id is the third token. */
  get platformCommands(): string {
    return `${this.namespace}.platform.*.command`;
  }

  platformCommand(platformId: string): string {
    return `${this.namespace}.platform.${platformId}.command`;
  }

  platformConsumer(platformId: string): string {
    return `push_${platformId}`;
  }

  /** The consumers that a platform itself reads. */
  platformFeeds(platformId: string): string[] {
    return Array.from({ length: PLATFORM_FEEDS }, (_, index) => `feed_${platformId}_${index + 1}`);
  }

  /** What stands in for `$JS.API` in a platform's account. */
  get platformApi(): string {
    return `${this.namespace}.api`;
  }

  /** Wakes the send worker that owns the channel. */
  outSubject(channelId: string, priority: number): string {
    return `${this.namespace}.out.${channelId}.${priority}`;
  }

  /** The channel that a subject of {@link allOut} is about. */
  channelOfOut(subject: string): string {
    return subject.split(".").at(-2) ?? "";
  }

  get allOut(): string {
    return `${this.namespace}.out.>`;
  }

  /** The bucket of the members' signs of life. */
  get memberBucket(): string {
    return `${this.namespace}_members`;
  }

  /** Under which a member listens as long as its process is there. */
  memberSubject(processId: string): string {
    return `${this.namespace}.member.${processId}`;
  }

  /** Says that partitions were given back. */
  get partitionsReleased(): string {
    return `${this.namespace}.partitions.released`;
  }

  get directoryChanged(): string {
    return `${this.namespace}.directory.changed`;
  }

  /** Answers to commands that the process `processId` gave. */
  replySubject(processId: string, request: string): string {
    return `${this.namespace}.reply.${processId}.${request}`;
  }
}

export interface TopologyOptions {
  readonly names: Names;
  readonly partitions: number;
  /** Copies of each stream; 1 on a single server. */
  readonly replicas: number;
  /** How long logs and events are kept. */
  readonly retentionMs: number;
  /** Whether the server takes atomic batches (2.12 and newer). */
  readonly atomicBatches: boolean;
}

/** Creates what is missing and adjusts what differs. Safe to run from many processes at once. */
export async function ensureStreams(jsm: JetStreamManager, options: TopologyOptions): Promise<void> {
  const { names, partitions } = options;
  const logs = [
    ...Array.from({ length: partitions }, (_, p) => ["route", p] as const),
    ...Array.from({ length: STATUS_PARTITIONS }, (_, p) => ["status", p] as const),
    ...Array.from({ length: DISPATCH_PARTITIONS }, (_, p) => ["dispatch", p] as const),
  ];
  const wanted: (Partial<StreamConfig> & { name: string })[] = logs.map(([kind, partition]) => ({
    name: names.logStream(kind, partition),
    subjects: [names.logSubject(kind, partition)],
  }));
  wanted.push(
    {
      name: names.eventStream,
      // A platform's own command subject has four tokens and must stay a plain request: hence the stars.
      subjects: [names.allEvents, `${names.namespace}.platform.*.*.*`],
      duplicate_window: 120e9,
      ...(options.atomicBatches ? { allow_atomic: true } : {}),
    } as Partial<StreamConfig> & { name: string },
  );
  const existing = new Map<string, StreamConfig>();
  for await (const info of jsm.streams.list(`${names.namespace}.>`)) {
    existing.set(info.config.name, info.config);
  }
  await Promise.all(wanted.map(async (config) => {
    const full = {
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      num_replicas: options.replicas,
      max_age: options.retentionMs * 1e6,
      ...config,
    };
    const present = existing.get(config.name);
    if (present === undefined) await jsm.streams.add(full);
    else if (present.num_replicas !== full.num_replicas || present.max_age !== full.max_age) {
      await jsm.streams.update(config.name, { num_replicas: full.num_replicas, max_age: full.max_age });
    }
  }));
}
