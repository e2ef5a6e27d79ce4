/**
 * This process among the others: it announces itself, and takes and gives back partitions as the members come and
 * go.
 *
 * @module
 */
import { type PartitionHolder, PartitionKeeper } from "../../core/membership/partition_keeper.ts";
import type { PartitionKind } from "../../core/ports/partition_store.ts";
import { Members } from "../nats/members.ts";
import { PostgresPartitionStore } from "../postgres/partition_store.ts";
import { systemClock } from "../system/clock.ts";
import type { Config } from "../system/config.ts";
import type { Log } from "../system/log.ts";
import type { Parts } from "./parts.ts";

export interface MembershipOptions {
  readonly parts: Parts;
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
}

/** What the start waits for the partitions, at most: others may have to give them back first. */
const SETTLE_MS_MAX = 5_000;

export class Membership {
  readonly members: Members;
  readonly #options: MembershipOptions;
  #keeper: PartitionKeeper | null = null;
  #unsubscribe: (() => void) | null = null;

  constructor(options: MembershipOptions) {
    const { parts, config, version, log } = options;
    this.#options = options;
    this.members = new Members({
      connection: parts.connection,
      bucket: parts.names.memberBucket,
      replicas: config.replicas,
      subjectOf: (id) => parts.names.memberSubject(id),
      self: {
        id: parts.processId,
        roles: [...config.roles],
        version,
        host: Deno.hostname(),
        startedMs: systemClock.now(),
      },
      onChange: () => this.#keeper?.wake(),
      onError: (error) => log.warn("no-sign-of-life", { reason: error.message }),
    });
  }

  get states() {
    return this.#keeper?.states ?? [];
  }

  /** Joins the others; resolves when the partitions are shared out, or after a while. Rejects when the broker is away. */
  async join(holders: readonly PartitionHolder[]): Promise<void> {
    const { parts, log } = this.#options;
    await this.members.join();
    const { connection, names } = parts;
    const keeper = new PartitionKeeper({
      store: new PostgresPartitionStore(parts.sql),
      members: this.members,
      holders,
      clock: systemClock,
      nudge: () => {
        if (!connection.isClosed()) connection.publish(names.partitionsReleased);
      },
      onError: (error, what) => log.warn("membership", { what, reason: error.message }),
      onChange: (kind, change, partitions) => {
        const fields = { kind, count: partitions.length, partitions: partitions.join(" ") };
        if (change === "taken") log.warn("partitions-taken", fields);
        // Of a process alone there is nothing to tell.
        else log[this.members.living().length > 1 ? "info" : "debug"](`partitions-${change}`, fields);
      },
    });
    this.#keeper = keeper;
    const subscription = connection.subscribe(names.partitionsReleased, { callback: () => keeper.wake() });
    this.#unsubscribe = () => subscription.unsubscribe();
    await keeper.start(SETTLE_MS_MAX);
  }

  /** The work found out that these are another process's. */
  taken(kind: PartitionKind, partitions: readonly number[]): void {
    this.#keeper?.taken(kind, partitions);
  }

  /** The connection came back. */
  resume(): void {
    this.members.beatNow();
    this.#keeper?.wake();
  }

  /** Finishes, gives all partitions back and says good-bye. */
  async leave(): Promise<void> {
    await this.members.leave();
    this.#unsubscribe?.();
    await this.#keeper?.stop();
    await this.members.close();
  }
}
