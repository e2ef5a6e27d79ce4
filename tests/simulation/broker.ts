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
import type { LogMessage, LogState, OpenLog, PartitionLog } from "../../core/ports/partition_log.ts";
import type { Leftovers, Told } from "../../bench/audit/run.ts";
import type { Process, World } from "./world.ts";

export type LogKind = "route" | "status";

export const BROKER = "the broker";
/** When every log of a simulation was made. */
const CREATED = "2025-06-15T00:00:00Z";
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
  /** Answers to commands, by the subject that waits for them. */
  readonly replies = new Map<string, (reply: CommandReply) => void>();
  readonly #world: World;
  readonly #logs = new Map<string, Log>();
  readonly #listeners = new Map<Process, Listener>();
  /** The last events that a process has to tell. */
  readonly #telling = new Map<Process, Promise<void>>();
  readonly #signs = new Map<string, MemberInfo>();
  readonly #encoder = new TextEncoder();

  constructor(world: World, counts: Readonly<Record<LogKind, number>>) {
    this.#world = world;
    for (const kind of ["route", "status"] as const) {
      for (let partition = 0; partition < counts[kind]; partition++) {
        this.#logs.set(`${kind} ${partition}`, { entries: [], readers: new Set() });
      }
    }
  }

  /** Resolves when the log has it; when it rejects the log may have it all the same. */
  append(from: Process, kind: LogKind, partition: number, payload: string): Promise<void> {
    return this.#world.call(from, BROKER, `append to ${kind} ${partition}`, () => {
      const log = this.#logs.get(`${kind} ${partition}`)!;
      log.entries.push(this.#encoder.encode(payload));
      for (const wake of log.readers) wake();
    });
  }

  logEnds(): Leftovers["logEnds"] {
    return [...this.#logs].map(([name, log]) => {
      const [kind, partition] = name.split(" ");
      return { kind: kind!, partition: Number(partition), sequence: log.entries.length };
    });
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

  /** The logs of one kind as a process reads them: in order, with none missed, sooner or later. */
  logOf(process: Process, kind: LogKind): PartitionLog {
    const state = (partition: number): LogState => ({
      created: CREATED,
      lastSequence: this.#logs.get(`${kind} ${partition}`)!.entries.length,
    });
    const count = [...this.#logs.keys()].filter((name) => name.startsWith(kind)).length;
    return {
      state: (partition) =>
        this.#world.call(process, BROKER, `state of ${kind} ${partition}`, () => state(partition)),
      states: () =>
        this.#world.call(
          process,
          BROKER,
          `states of ${kind}`,
          () => new Map(Array.from({ length: count }, (_, partition) => [partition, state(partition)])),
        ),
      open: ({ partition, afterSequence, onMessage, hasRoom }) =>
        Promise.resolve(
          this.#read(process, `${kind} ${partition}`, partition, afterSequence, onMessage, hasRoom),
        ),
    };
  }

  #read(
    process: Process,
    name: string,
    partition: number,
    afterSequence: number,
    onMessage: (message: LogMessage) => void,
    hasRoom: () => boolean,
  ): OpenLog {
    const log = this.#logs.get(name)!;
    let next = afterSequence + 1;
    let stopped = false;
    let isDue = false;
    const soon = (mostMs: number) => {
      if (isDue || stopped) return;
      isDue = true;
      this.#world.after(this.#world.between(0.2, mostMs), () => {
        isDue = false;
        deliver();
      });
    };
    const deliver = () => {
      if (stopped || log.entries.length < next) return;
      if (process.state === "dead") return void log.readers.delete(wake);
      // To a paused process nothing more is sent: it has not taken what was sent before.
      if (process.state === "paused" || this.#world.away.has(BROKER) || !hasRoom()) return soon(RETRY_MS);
      const upTo = Math.min(log.entries.length, next + Math.floor(this.#world.between(0, 8)));
      process.hear(() => {
        while (!stopped && next <= upTo) {
          const sequence = next++;
          onMessage({ partition, sequence, data: log.entries[sequence - 1]! });
        }
        soon(5);
      });
    };
    const wake = () => soon(10);
    log.readers.add(wake);
    wake();
    const stop = () => {
      stopped = true;
      log.readers.delete(wake);
    };
    return { pump: wake, restart: wake, stop };
  }
}

interface Log {
  readonly entries: Uint8Array[];
  readonly readers: Set<() => void>;
}
