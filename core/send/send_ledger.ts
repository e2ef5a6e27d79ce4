/**
 * What the send lanes write: claims, results and what a take-over settles, all under the lanes' epochs.
 *
 * All claims that wait go out as one statement, and so do all results; while one is under way the next
 * collects, and two in a row start a few milliseconds apart: a single one goes at once, and a steady stream of
 * single ones does not cost a statement each. Writes are tried until they work or the ledger is closed. A lane that another process took over
 * is dropped: the statement that found out has changed nothing in it, and its new owner settles what was
 * under way.
 *
 * @module
 */
import { GroupCommit } from "../group_commit.ts";
import { Pace } from "../pace.ts";
import type { OutboxRow } from "../outbox.ts";
import type { Clock } from "../ports/clock.ts";
import type { OwnedPartition, PartitionStore } from "../ports/partition_store.ts";
import type { LaneFence, RecordRow, RecoveryPolicy, SendStore } from "../ports/send_store.ts";
import type { Claimed } from "./sender_port.ts";
import { moved } from "./fallback.ts";
import type { Move } from "./fallback_mover.ts";
import type { Settlement } from "./outcome.ts";
import { OwnedLanes } from "./owned_lanes.ts";
import { type QueuedMessage, sendLaneOf } from "./queued_message.ts";
import { SendPublisher } from "./send_publisher.ts";
import { afterRecord, moveItem, recordRow } from "./send_record.ts";

export interface SendLedgerOptions {
  readonly store: SendStore;
  readonly partitions: PartitionStore;
  /** Resolves when everything in the row is published; rejects only when stopping. */
  readonly publish: (row: OutboxRow) => Promise<void>;
  readonly clock: Clock;
  /** Other processes took these lanes over. */
  readonly onFenced: (lanes: readonly number[]) => void;
  readonly onError: (error: Error, what: string) => void;
}

/** Messages in one statement. */
const GROUP_MAX = 500;
/** Messages of one conversation that are looked up when one of them was not claimed. */
const CONVERSATION_PAGE_MAX = 20;
/**
 * From the start of one statement to the start of the next. Claims do not wait the longer the longer they take: what is
 * claimed ahead has to last until the next ones.
 */
const CLAIM_PACE = { leastMs: 2, freeMs: 0, times: 0, mostMs: 2 };
const RECORD_PACE = { leastMs: 5, freeMs: 8, times: 3, mostMs: 40 };
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

interface ClaimWanted {
  readonly message: QueuedMessage;
  readonly lane: number;
  readonly epoch: number;
  readonly settle: (result: Claimed) => void;
  readonly fail: (error: unknown) => void;
}

interface RecordWanted {
  readonly row: RecordRow;
  readonly epoch: number;
  readonly settle: (stored: boolean) => void;
  readonly fail: (error: unknown) => void;
}

export class SendLedger {
  readonly #options: SendLedgerOptions;
  readonly #lanes = new OwnedLanes();
  readonly #claims: GroupCommit<ClaimWanted>;
  readonly #records: GroupCommit<RecordWanted>;
  readonly #publisher: SendPublisher;
  readonly #unrecorded = new Map<number, number>();
  readonly #wakes = new Set<() => void>();
  #closed = false;

  constructor(options: SendLedgerOptions) {
    this.#options = options;
    const claimPace = new Pace(CLAIM_PACE);
    const recordPace = new Pace(RECORD_PACE);
    const group = { maxItems: GROUP_MAX, maxSize: Infinity, sizeOf: () => 1 };
    this.#claims = new GroupCommit<ClaimWanted>({
      ...group,
      write: (items) => failing(items, () => this.#spaced(claimPace, () => this.#writeClaims(items))),
    });
    this.#records = new GroupCommit<RecordWanted>({
      ...group,
      write: (items) => failing(items, () => this.#spaced(recordPace, () => this.#writeRecords(items))),
    });
    this.#publisher = new SendPublisher({
      store: options.partitions,
      lanes: () => this.#lanes.list(),
      publish: options.publish,
      onError: (error) => options.onError(error, "publish what was sent"),
      sleep: (ms) => this.sleep(ms),
    });
  }

  /** Lanes that are ours as far as we know. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** Results in those lanes that are not stored yet. */
  unrecorded(lanes: readonly number[]): number {
    return lanes.reduce((sum, lane) => sum + (this.#unrecorded.get(lane) ?? 0), 0);
  }

  /** Takes lanes on; what was committed in them and not published is published first. */
  add(lanes: readonly OwnedPartition[]): void {
    this.#lanes.add(lanes);
    this.#publisher.reread();
  }

  /** Lets go of lanes: nothing of them is written any more. */
  remove(lanes: readonly number[]): void {
    this.#lanes.remove(lanes);
  }

  /** Settles the rows that a former owner left under way in those lanes. */
  async recover(
    lanes: readonly number[],
    policies: readonly RecoveryPolicy[],
  ): Promise<Readonly<Record<RecoveryPolicy["policy"], number>>> {
    return await this.#options.store.recover(this.#lanes.fencesOf(lanes), policies, this.#now());
  }

  /** The fencing token of a lane; -1 when it is not ours. */
  epochOf(lane: number): number {
    return this.#lanes.epochOf(lane);
  }

  /**
   * Moves the message to `sending`, if it is its turn. `epoch` is the lane's from when its sender began: one that is from
   * before the lane was lost and gained again has no say any more. Rejects when the ledger is closed.
   */
  claim(message: QueuedMessage, epoch: number): Promise<Claimed> {
    const { promise, resolve, reject } = Promise.withResolvers<Claimed>();
    const lane = sendLaneOf(message.channel_id);
    this.#claims.add({ message, lane, epoch, settle: resolve, fail: reject });
    return promise;
  }

  /**
   * Stores a settlement; resolves with the message as it is now. Rejects when the lane is not ours any more, or not since
   * the sender began, whose `epoch` is given: then what it had under way was settled when the lane was gained again.
   */
  async record(message: QueuedMessage, settlement: Settlement, epoch: number): Promise<QueuedMessage> {
    const lane = sendLaneOf(message.channel_id);
    const row = recordRow(message, lane, settlement, this.#now());
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#unrecorded.set(lane, this.unrecorded([lane]) + 1);
    this.#records.add({ row, epoch, settle: resolve, fail: reject });
    try {
      if (!await promise) throw new Error("the send lane is another process's");
      return afterRecord(message, row);
    } finally {
      this.#unrecorded.set(lane, this.unrecorded([lane]) - 1);
    }
  }

  /** Gives queued messages to other channels. Resolves with those that moved; rejects when the lane is not ours. */
  async move(moves: readonly Move[], reason: string): Promise<QueuedMessage[]> {
    const nowMs = this.#now();
    const items = moves.map(({ message, place }) => moveItem(message, place, reason, nowMs));
    const fences = this.#lanes.fencesOf(items.map(({ lane }) => lane));
    const { held, changed } = await this.#insist(
      "move messages to a fallback channel",
      () => this.#options.store.move(fences, items, nowMs),
    );
    this.#dropLost(fences, held);
    if (held.size < fences.length) throw new Error("the send lane is another process's");
    return moves.flatMap(({ message, place }) => changed.has(message.id) ? [moved(message, place)] : []);
  }

  /** Publishes what can be published; writes that fail from now on are given up. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of [...this.#wakes]) wake();
    await this.#publisher.stop();
  }

  /** Waits; less when the ledger is closed. */
  sleep(ms: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#wakes.delete(done);
        resolve();
      };
      const cancel = this.#options.clock.after(ms, done);
      this.#wakes.add(done);
    });
  }

  /** Callers go on as soon as `write` settles their items; the next group starts when its time has come. */
  async #spaced(pace: Pace, write: () => Promise<void>): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.monotonic();
    pace.started(startedMs);
    await write();
    pace.took(clock.monotonic() - startedMs);
    const earlyMs = pace.earlyMs(clock.monotonic());
    if (earlyMs > 0) await this.sleep(earlyMs);
  }

  async #writeClaims(wanted: readonly ClaimWanted[]): Promise<void> {
    const items = wanted.filter(({ lane, epoch, settle }) => {
      const isCurrent = epoch === this.epochOf(lane);
      if (!isCurrent) settle({ kind: "failed" });
      return isCurrent;
    });
    if (items.length === 0) return;
    const claims = items.map(({ message, lane }) => ({
      id: message.id,
      lane,
      channel_id: message.channel_id,
      attempts: message.attempts,
      conversation_id: message.conversation_id,
      number: message.number,
      contact: message.contact,
    }));
    const fences = this.#lanes.fencesOf(items.map((item) => item.lane));
    const { held, changed, optedOut } = await this.#insist(
      "claim messages",
      () => this.#options.store.claim(fences, claims, this.#now()),
    );
    this.#dropLost(fences, held);
    const refused: ClaimWanted[] = [];
    for (const item of items) {
      if (changed.has(item.message.id)) item.settle({ kind: "claimed" });
      else if (held.has(item.lane) && optedOut.has(item.message.id)) item.settle({ kind: "opted-out" });
      else if (held.has(item.lane)) refused.push(item);
      else item.settle({ kind: "failed" });
    }
    if (refused.length > 0) await this.#explain(refused);
  }

  /** Why messages were not claimed: they are not queued any more, or another one of theirs has to go first. */
  async #explain(refused: readonly ClaimWanted[]): Promise<void> {
    const ids = [...new Set(refused.map(({ message }) => message.conversation_id))];
    const rows = await this.#insist(
      "look up what was not claimed",
      () => this.#options.store.loadConversations(ids, CONVERSATION_PAGE_MAX, this.#now()),
    );
    for (const { message, settle } of refused) {
      const queued = rows.filter((row) => row.conversation_id === message.conversation_id);
      // One that stands behind a whole page may well be queued.
      const isQueued = queued.some((row) => row.id === message.id) || queued.length === CONVERSATION_PAGE_MAX;
      settle(isQueued ? { kind: "blocked", queued } : { kind: "gone" });
    }
  }

  async #writeRecords(wanted: readonly RecordWanted[]): Promise<void> {
    const items = wanted.filter(({ row, epoch, settle }) => {
      const isCurrent = epoch === this.epochOf(row.lane);
      if (!isCurrent) settle(false);
      return isCurrent;
    });
    if (items.length === 0) return;
    const nowMs = this.#now();
    const rows = items.map(({ row }) => row);
    const fences = this.#lanes.fencesOf(rows.map((row) => row.lane));
    const lanes = fences.map((fence) => ({ ...fence, sequence: this.#lanes.nextSequence(fence.lane) }));
    let tries = 0;
    const { held, changed } = await this.#insist("record results", async () => {
      tries++;
      const published = this.#publisher.takePublished(lanes.map(({ lane }) => lane));
      try {
        return await this.#options.store.record({ lanes, rows, published, nowMs });
      } catch (error) {
        this.#publisher.markPublished(published);
        throw error;
      }
    });
    this.#dropLost(fences, held);
    for (const { row, settle } of items) settle(held.has(row.lane));
    // A write whose answer was lost may have been committed: then the outbox knows more than the answer.
    if (tries > 1) this.#publisher.reread();
    else this.#publisher.add(outboxRows(lanes, rows, changed));
    const late = rows.flatMap((row) =>
      row.provider_id !== null && held.has(row.lane) && !changed.has(row.id)
        ? [{ id: row.id, provider_id: row.provider_id }]
        : []
    );
    if (late.length > 0) {
      await this.#insist("add provider ids", () => this.#options.store.addProviderIds(late));
    }
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #dropLost(fences: readonly LaneFence[], held: ReadonlySet<number>): void {
    const lost = this.#lanes.removeLost(fences, held);
    if (lost.length > 0) this.#options.onFenced(lost);
  }

  async #insist<T>(what: string, run: () => Promise<T>): Promise<T> {
    for (let tries = 0;; tries++) {
      try {
        return await run();
      } catch (error) {
        this.#options.onError(error as Error, what);
        if (this.#closed) throw error;
        await this.sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10)));
      }
    }
  }
}

/** What a write that failed has not settled fails with it. */
async function failing(
  items: readonly { readonly fail: (error: unknown) => void }[],
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    for (const { fail } of items) fail(error);
    throw error;
  }
}

/** The outbox rows that a commit wrote, as the statement wrote them. */
function outboxRows(
  lanes: readonly { readonly lane: number; readonly sequence: number }[],
  rows: readonly RecordRow[],
  changed: ReadonlySet<string>,
): OutboxRow[] {
  return lanes.flatMap(({ lane, sequence }) => {
    const events = rows.flatMap((row) =>
      row.lane === lane && row.event !== null && changed.has(row.id) ? [row.event] : []
    );
    return events.length === 0 ? [] : [{ kind: "send", partition: lane, sequence, payload: { events } }];
  });
}
