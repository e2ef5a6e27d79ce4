/**
 * One log of the simulation's broker, which may be replaced by an older copy of itself, and its readers.
 *
 * @module
 */
import type { LogState, OpenLog, PartitionLog } from "../../core/ports/partition_log.ts";
import { BROKER } from "./broker.ts";
import type { Process, World } from "./world.ts";

/** When every log of a simulation was made. */
const CREATED = "2025-06-15T00:00:00Z";
const RETRY_MS = 300;
/** A reader whose log was replaced hears of it within that. */
const UNNOTICED_MS_MAX = 3_000;

export type OpenOptions = Parameters<PartitionLog["open"]>[0];

interface Entry {
  readonly data: Uint8Array;
  readonly stored: string;
}

interface Reader {
  wake(): void;
  restart(): void;
}

export class SimulatedLog {
  readonly name: string;
  readonly #world: World;
  readonly #readers = new Set<Reader>();
  readonly #encoder = new TextEncoder();
  #entries: Entry[] = [];
  /** How many of the first have expired. */
  #expired = 0;
  /** How often it was replaced by an older copy: consumers end with the log that they were made for. */
  #history = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  get state(): LogState {
    return { created: CREATED, firstSequence: this.#expired + 1, lastSequence: this.#entries.length };
  }

  /** How often an older copy of it was put in its place. */
  get copies(): number {
    return this.#history;
  }

  append(payload: string): void {
    this.#entries.push({ data: this.#encoder.encode(payload), stored: nanoseconds(this.#world.nowMs) });
    for (const reader of this.#readers) reader.wake();
  }

  storedAt(sequence: number): string | null {
    return sequence <= this.#expired ? null : this.#entries[sequence - 1]?.stored ?? null;
  }

  /** Whether a cursor, with when its entry was stored, stands at the end of this very log. */
  endsAt(cursor: number, stored: string | null): boolean {
    const isComparable = cursor > this.#expired;
    return cursor === this.#entries.length && (!isComparable || this.#entries[cursor - 1]!.stored === stored);
  }

  /** Lets entries expire, up to and with `sequence`. */
  expire(sequence: number): void {
    this.#expired = Math.max(this.#expired, sequence);
  }

  /** Puts the copy in its place that was made when it ended at `lastSequence`. */
  restore(lastSequence: number): void {
    this.#entries = this.#entries.slice(0, lastSequence);
    this.#expired = Math.min(this.#expired, lastSequence);
    this.#history++;
    for (const reader of this.#readers) {
      this.#world.after(this.#world.between(0, UNNOTICED_MS_MAX), () => reader.restart());
    }
  }

  /** Reads in order, with none missed, sooner or later. */
  async open(process: Process, options: OpenOptions): Promise<OpenLog> {
    const { partition, onMessage, hasRoom, mayRead } = options;
    const world = this.#world;
    let next = options.afterSequence + 1;
    let stopped = false;
    let isDue = false;
    /** Counts the consumers; what one of the former ones delivers is not taken. */
    let consumer = 0;
    /** The history that the consumer was made in; null while there is none. */
    let history: number | null = null;
    const soon = (mostMs: number) => {
      if (isDue || stopped) return;
      isDue = true;
      world.after(world.between(0.2, mostMs), () => {
        isDue = false;
        deliver();
      });
    };
    const deliver = () => {
      if (stopped || history !== this.#history || this.#entries.length < next) return;
      if (process.state === "dead") return void this.#readers.delete(reader);
      // To a paused process nothing more is sent: it has not taken what was sent before.
      if (process.state === "paused" || world.away.has(BROKER) || !hasRoom()) return soon(RETRY_MS);
      const first = Math.max(next, this.#expired + 1);
      const entries = this.#entries.slice(first - 1, first + Math.floor(world.between(0, 8)));
      const from = consumer;
      process.hear(() => {
        for (const [index, { data, stored }] of entries.entries()) {
          if (stopped || from !== consumer) return;
          next = first + index + 1;
          onMessage({ partition, sequence: first + index, data, stored });
        }
        soon(5);
      });
    };
    const begin = async () => {
      const own = ++consumer;
      history = null;
      try {
        const made = await world.call(process, BROKER, `consumer of ${this.name}`, () => this.#history);
        if (stopped || own !== consumer) return;
        if (!await mayRead()) return reader.stop();
        if (stopped || own !== consumer) return;
        history = made;
        // What was appended before there was a consumer, and the end of one that is over already.
        if (made === this.#history) soon(10);
        else restart();
      } catch {
        restart();
      }
    };
    const restart = () => {
      history = null;
      process.clock.after(RETRY_MS, () => stopped || begin());
    };
    const wake = () => soon(10);
    const reader = {
      wake,
      pump: wake,
      restart: () => process.hear(restart),
      stop: () => {
        stopped = true;
        this.#readers.delete(reader);
      },
    };
    this.#readers.add(reader);
    await begin();
    return reader;
  }
}

const NS_DIGITS_OF_MS = 6;

function nanoseconds(ms: number): string {
  const whole = Math.floor(ms);
  return `${whole}${
    Math.floor((ms - whole) * 10 ** NS_DIGITS_OF_MS).toString().padStart(NS_DIGITS_OF_MS, "0")
  }`;
}
