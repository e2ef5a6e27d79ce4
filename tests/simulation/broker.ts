/**
 * The broker of the simulation: the partitions' logs, the stream of events, the members' signs of life, and plain
 * messages that may be lost.
 *
 * @module
 */
import type { MessageRow } from "../../core/message.ts";
import type { MemberInfo } from "../../core/membership/liveness.ts";
import type { OutboxRow } from "../../core/outbox.ts";
import type { CommandReply } from "../../core/entry.ts";
import type { PartitionLog } from "../../core/ports/partition_log.ts";
import type { Leftovers, Told } from "../../bench/audit/run.ts";
import { SimulatedLog } from "./log.ts";
import { LineError, type Process, type World } from "./world.ts";

export type LogKind = "route" | "status";

export const BROKER = "the broker";
const RETRY_MS = 300;

/** What a process hears of the others by plain messages. */
export interface Listener {
  onSign(info: MemberInfo): void;
  onGone(id: string): void;
  onReleased(): void;
  onQueued(messages: readonly MessageRow[]): void;
}

export class Broker {
  readonly told: Told[] = [];
  readonly logs: readonly PartitionsLog[];
  /** Answers to commands, by the subject that waits for them. */
  readonly replies = new Map<string, (reply: CommandReply) => void>();
  readonly #world: World;
  readonly #listeners = new Map<Process, Listener>();
  /** The last events that a process has to tell. */
  readonly #telling = new Map<Process, Promise<void>>();
  readonly #signs = new Map<string, MemberInfo>();

  constructor(world: World, counts: Readonly<Record<LogKind, number>>) {
    this.#world = world;
    this.logs = (["route", "status"] as const).flatMap((kind) =>
      Array.from({ length: counts[kind] }, (_, partition) => ({
        kind,
        partition,
        log: new SimulatedLog(world, `${kind} ${partition}`),
      }))
    );
  }

  /**
   * Resolves when the log has it; when it rejects the log may have it all the same. While a copy is put in a log's place
   * the broker is stopped, and what was on its way to it never arrives.
   */
  append(from: Process, kind: LogKind, partition: number, payload: string): Promise<void> {
    const log = this.#log(kind, partition);
    const { copies } = log;
    return this.#world.call(from, BROKER, `append to ${log.name}`, () => {
      if (log.copies !== copies) throw new LineError(`append to ${log.name}: the broker was stopped`);
      log.append(payload);
    });
  }

  /** How often an older copy was put in this log's place. */
  copies(kind: LogKind, partition: number): number {
    return this.#log(kind, partition).copies;
  }

  #log(kind: LogKind, partition: number): SimulatedLog {
    return this.logs.find((one) => one.kind === kind && one.partition === partition)!.log;
  }

  logEnds(): Leftovers["logEnds"] {
    return this.logs.map(({ kind, partition, log }) => ({
      kind,
      partition,
      sequence: log.state.lastSequence,
    }));
  }

  /**
   * As the real publisher does it: answers go at once, events one after the other, each tried until it is told. A row
   * without events is done at once, whatever is under way.
   */
  async publish(from: Process, row: OutboxRow): Promise<void> {
    for (const { to, body } of row.payload.replies ?? []) {
      if (this.#world.chance(this.#world.weather.lost)) continue;
      this.#world.after(this.#world.between(0.5, 5), () => this.replies.get(to)?.(body));
    }
    if (row.payload.events.length === 0) return;
    const told = (this.#telling.get(from) ?? Promise.resolve()).then(() => this.#tellEvents(from, row));
    this.#telling.set(from, told);
    await told;
  }

  async #tellEvents(from: Process, { kind, partition, sequence, payload }: OutboxRow): Promise<void> {
    for (;;) {
      try {
        return await this.#world.call(from, BROKER, `tell ${kind} ${partition} ${sequence}`, () => {
          for (const { id, type, data } of payload.events) {
            this.told.push({ id, type, messageId: String(data.messageId ?? "") });
          }
        });
      } catch {
        await new Promise<void>((resolve) => from.clock.after(RETRY_MS, resolve));
      }
    }
  }

  listen(process: Process, listener: Listener): void {
    this.#listeners.set(process, listener);
  }

  /** A sign of life: heard by all the others, and kept for those who come later. */
  sign(from: Process, info: MemberInfo): Promise<void> {
    return this.#world.call(from, BROKER, `sign of ${info.id}`, () => {
      this.#signs.set(info.id, info);
      this.#tell(from, (listener) => listener.onSign(info));
    });
  }

  /** Those whose signs are kept. */
  signs(from: Process): Promise<readonly MemberInfo[]> {
    return this.#world.call(from, BROKER, "look around", () => [...this.#signs.values()]);
  }

  /** Whether somebody listens under the member's name: a dead process does not, a paused one does. */
  isThere(from: Process, id: string): Promise<boolean> {
    return this.#world.call(
      from,
      BROKER,
      `ask for ${id}`,
      () => [...this.#listeners.keys()].some(({ name, state }) => name === id && state !== "dead"),
    );
  }

  gone(from: Process, id: string): Promise<void> {
    return this.#world.call(from, BROKER, `good-bye of ${id}`, () => {
      this.#signs.delete(id);
      this.#tell(from, (listener) => listener.onGone(id));
    });
  }

  released(from: Process): void {
    this.#tell(from, (listener) => listener.onReleased());
  }

  queued(from: Process, messages: readonly MessageRow[]): void {
    this.#tell(null, (listener) => listener.onQueued(messages));
    from.note(`nudges for ${messages.length}`);
  }

  #tell(except: Process | null, tell: (listener: Listener) => void): void {
    for (const [process, listener] of this.#listeners) {
      if (process === except || process.state === "dead") continue;
      if (this.#world.away.has(BROKER) || this.#world.chance(this.#world.weather.lost)) continue;
      this.#world.after(this.#world.between(0.2, 5), () => process.hear(() => tell(listener)));
    }
  }

  /** The logs of one kind as a process reads them. */
  logOf(process: Process, kind: LogKind): PartitionLog {
    const logs = new Map(
      this.logs.filter((one) => one.kind === kind).map(({ partition, log }) => [partition, log]),
    );
    const ask = <T>(what: string, answer: () => T) =>
      this.#world.call(process, BROKER, `${what} ${kind}`, answer);
    return {
      state: (partition) => ask(`state of ${partition} of`, () => logs.get(partition)!.state),
      states: () =>
        ask("states of", () => new Map([...logs].map(([partition, log]) => [partition, log.state]))),
      storedAt: (partition, sequence) =>
        ask(`entry ${sequence} of ${partition} of`, () => logs.get(partition)!.storedAt(sequence)),
      open: (options) => logs.get(options.partition)!.open(process, options),
    };
  }
}

export interface PartitionsLog {
  readonly kind: LogKind;
  readonly partition: number;
  readonly log: SimulatedLog;
}
