/**
 * Keeps a member's partitions in step with what is wished and what the database says: takes, gives back and
 * lets go, one by one, while everything else goes on.
 *
 * A partition is *free*, *gaining* (taken, the work is being started), *held*, or *losing* (the work ends; then
 * it is given back, unless it is somebody else's already). Every half second, and at once when somebody comes,
 * goes or gives back, the keeper looks at the members and at the rows; that look is also how it finds out that
 * a partition was taken from it. While its own signs of life are not taken it holds nothing.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import type {
  OwnedPartition,
  PartitionKind,
  PartitionRow,
  PartitionStore,
} from "../ports/partition_store.ts";
import { assign } from "./assignment.ts";
import { plan } from "./plan.ts";

/** Why work on a partition ends. */
export type LossReason =
  /** It is to be given back: finish what is under way. */
  | "released"
  /** It is somebody else's: nothing can be stored any more. */
  | "taken";

/** Does the work of one kind of partition. */
export interface PartitionHolder {
  readonly kind: PartitionKind;
  readonly partitions: number;
  /** Members with this role share the partitions. */
  readonly role: string;
  /** How long a living owner may take to give a partition back before it is taken, ms. */
  readonly handOffMsMax: number;
  /** Starts the work. Rejects when that cannot be: then {@link lose} follows. */
  gain(owned: readonly OwnedPartition[]): Promise<void>;
  /** Ends the work; resolves when none of it can be under way any more. For partitions that it has not: at once. */
  lose(partitions: readonly number[], reason: LossReason): Promise<void>;
}

/** The members as this one sees them. */
export interface MembersView {
  readonly me: string;
  /** Those that may own partitions of a kind that `role` applies. */
  candidates(role: string): readonly string[];
  isAlive(member: string): boolean;
  /** Whether others must still take this member for alive. */
  isSure(): boolean;
}

export interface PartitionKeeperOptions {
  readonly store: Pick<PartitionStore, "list" | "take" | "release">;
  readonly members: MembersView;
  readonly holders: readonly PartitionHolder[];
  readonly clock: Clock;
  /** Tells the others that partitions were given back. */
  readonly nudge: () => void;
  readonly onError: (error: Error, what: string) => void;
  readonly onChange?: (
    kind: PartitionKind,
    change: "gained" | LossReason,
    partitions: readonly number[],
  ) => void;
}

/** How a kind stands. */
export interface KindState {
  readonly kind: PartitionKind;
  /** Partitions worked on. */
  readonly held: number;
  /** Partitions wished for this member. */
  readonly wished: number;
  /** Since when the two differ, ms of the monotonic clock; null when they do not. */
  readonly unsettledSinceMs: number | null;
}

const LOOK_EVERY_MS = 500;
/** While a start waits for its share. Whoever gives back tells it, so this is for what is told by nobody. */
const START_LOOK_EVERY_MS = 50;

interface Kept {
  readonly holder: PartitionHolder;
  readonly held: Map<number, number>;
  /** Partitions that are gaining or losing. */
  readonly busy: Set<number>;
  /** Since when a partition has been wanted of an owner, by partition, epoch. */
  awaited: Map<string, number>;
  wished: number;
  /** The whole wish, and the members it was made for: they seldom change. */
  wish: { readonly members: string; readonly owners: readonly string[] } | null;
  unsettledSinceMs: number | null;
}

export class PartitionKeeper {
  readonly #options: PartitionKeeperOptions;
  readonly #kinds: readonly Kept[];
  #working: Promise<void>[] = [];
  #looking: Promise<void> | null = null;
  #again = false;
  #cancel: (() => void) | null = null;
  #stopped = false;

  constructor(options: PartitionKeeperOptions) {
    this.#options = options;
    this.#kinds = options.holders.map((holder) => ({
      holder,
      held: new Map(),
      busy: new Set(),
      awaited: new Map(),
      wished: 0,
      wish: null,
      unsettledSinceMs: options.clock.monotonic(),
    }));
  }

  get states(): readonly KindState[] {
    return this.#kinds.map(({ holder, held, wished, unsettledSinceMs }) => ({
      kind: holder.kind,
      held: held.size,
      wished,
      unsettledSinceMs,
    }));
  }

  /** Starts to keep; resolves when all that is wished is held, or after `msMax`. */
  async start(msMax: number): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonic() + msMax;
    await this.#look();
    while (!this.#isSettled() && clock.monotonic() < untilMs) {
      await new Promise<void>((resolve) => clock.after(START_LOOK_EVERY_MS, resolve));
      await this.#busyEnds();
      if (!this.#isSettled()) await this.#look();
    }
  }

  /** Looks now: something changed. */
  wake(): void {
    if (!this.#stopped) this.#look();
  }

  /** The work found out that these are somebody else's. */
  taken(kind: PartitionKind, partitions: readonly number[]): void {
    const kept = this.#kinds.find(({ holder }) => holder.kind === kind);
    if (kept !== undefined) this.#lose(kept, partitions, "taken");
  }

  /** Finishes and gives everything back. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#looking;
    await this.#busyEnds();
    for (const kept of this.#kinds) this.#lose(kept, [...kept.held.keys()], "released");
    await this.#busyEnds();
  }

  #isSettled(): boolean {
    return this.#kinds.every(({ unsettledSinceMs, busy }) => unsettledSinceMs === null && busy.size === 0);
  }

  async #busyEnds(): Promise<void> {
    while (this.#working.length > 0) {
      const working = this.#working;
      this.#working = [];
      await Promise.all(working);
    }
  }

  /** One look at a time; a wish for one during a look means one more. */
  #look(): Promise<void> {
    this.#again = true;
    this.#looking ??= (async () => {
      this.#cancel?.();
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#lookOnce()
          .catch((error) => this.#options.onError(error as Error, "look after partitions"));
      }
      this.#looking = null;
      if (!this.#stopped) this.#cancel = this.#options.clock.after(LOOK_EVERY_MS, () => this.#look());
    })();
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const { store, members } = this.#options;
    const kinds = this.#kinds.map(({ holder }) => holder.kind);
    if (kinds.length === 0) return;
    // Before the rows are asked for: the database may not answer.
    if (!members.isSure()) return this.#doubt();
    const rows = await store.list(kinds);
    if (this.#stopped) return;
    if (!members.isSure()) return this.#doubt();
    await Promise.all(
      this.#kinds.map((kept) => this.#settle(kept, rows.filter(({ kind }) => kind === kept.holder.kind))),
    );
  }

  /** Others may take this member for dead. */
  #doubt(): void {
    for (const kept of this.#kinds) {
      this.#lose(kept, [...kept.held.keys()], "released");
      kept.unsettledSinceMs ??= this.#options.clock.monotonic();
    }
  }

  async #settle(kept: Kept, rows: readonly PartitionRow[]): Promise<void> {
    const { members, clock, store } = this.#options;
    const { holder, held, busy } = kept;
    const nowMs = clock.monotonic();
    const wished = wishedOf(kept, members.candidates(holder.role));
    const { take, awaited, release, lost } = plan({
      me: members.me,
      wished,
      rows: rows.filter(({ partition }) => partition < holder.partitions && !busy.has(partition)),
      held,
      isAlive: (member) => members.isAlive(member),
      waitedMs: (row) => nowMs - (kept.awaited.get(keyOf(row)) ?? nowMs),
      handOffMsMax: holder.handOffMsMax,
    });
    kept.awaited = new Map(awaited.map((row) => [keyOf(row), kept.awaited.get(keyOf(row)) ?? nowMs]));
    kept.wished = wished.filter((member) => member === members.me).length;
    this.#lose(kept, lost, "taken");
    this.#lose(kept, release, "released");
    if (take.length > 0) {
      const owned = await store.take(holder.kind, take, members.me);
      if (owned.length > 0) this.#gain(kept, owned);
    }
    if (held.size === kept.wished) kept.unsettledSinceMs = null;
    else kept.unsettledSinceMs ??= nowMs;
  }

  #gain(kept: Kept, owned: readonly OwnedPartition[]): void {
    const partitions = owned.map(({ partition }) => partition);
    for (const { partition, epoch } of owned) {
      kept.busy.add(partition);
      kept.held.set(partition, epoch);
    }
    this.#work(async () => {
      try {
        await kept.holder.gain(owned);
        this.#options.onChange?.(kept.holder.kind, "gained", partitions);
        for (const partition of partitions) kept.busy.delete(partition);
      } catch (error) {
        this.#options.onError(error as Error, `start the work on ${kept.holder.kind} partitions`);
        for (const partition of partitions) kept.busy.delete(partition);
        this.#lose(kept, partitions, "released");
      }
    });
  }

  #lose(kept: Kept, wanted: readonly number[], reason: LossReason): void {
    const { store, nudge, onError, onChange } = this.#options;
    const { holder, held, busy } = kept;
    const owned = wanted.filter((partition) => held.has(partition) && !busy.has(partition))
      .map((partition) => ({ partition, epoch: held.get(partition)! }));
    if (owned.length === 0) return;
    const partitions = owned.map(({ partition }) => partition);
    for (const partition of partitions) busy.add(partition);
    this.#work(async () => {
      await holder.lose(partitions, reason)
        .catch((error) => onError(error as Error, `end the work on ${holder.kind} partitions`));
      if (reason === "released") {
        // Not given back: others take them when this member is gone, or after a while.
        await store.release(holder.kind, owned)
          .then(nudge, (error) => onError(error as Error, `give ${holder.kind} partitions back`));
      }
      for (const partition of partitions) {
        held.delete(partition);
        busy.delete(partition);
      }
      onChange?.(holder.kind, reason, partitions);
    });
  }

  /** Long work goes on beside the looks; one follows when it ends. */
  #work(run: () => Promise<void>): void {
    this.#working.push(run().then(() => this.wake()));
  }
}

function wishedOf(kept: Kept, members: readonly string[]): readonly string[] {
  const key = members.join();
  if (kept.wish?.members !== key) {
    kept.wish = { members: key, owners: assign(kept.holder.kind, kept.holder.partitions, members) };
  }
  return kept.wish.owners;
}

function keyOf({ partition, epoch }: { readonly partition: number; readonly epoch: number }): string {
  return `${partition} ${epoch}`;
}
