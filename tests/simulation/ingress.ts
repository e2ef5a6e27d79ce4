/**
 * The way in: a process that takes webhooks, commands and reports over HTTP and answers 2xx when the log has them. It
 * groups what comes as the real ingress does.
 *
 * @module
 */
import { type ConversationEntry, packEntries, type ReportEntry } from "../../core/entry.ts";
import { GroupCommit } from "../../core/group_commit.ts";
import { hash32, partitionOf } from "../../core/partition.ts";
import type { Broker, LogKind } from "./broker.ts";
import { LineError, Process, type World } from "./world.ts";

/** Whoever calls gives up after so long, ms. */
const HTTP_MS_MAX = 3_000;

interface Waiting {
  readonly text: string;
  /** How often an older copy of the log had been put in its place when this came. */
  readonly copies: number;
}

export class Ingress {
  readonly #world: World;
  readonly #broker: Broker;
  readonly #counts: Readonly<Record<LogKind, number>>;
  #running!: { readonly process: Process; readonly logs: Map<string, GroupCommit<Waiting>> };
  #runs = 0;

  constructor(world: World, broker: Broker, counts: Readonly<Record<LogKind, number>>) {
    this.#world = world;
    this.#broker = broker;
    this.#counts = counts;
    this.#start();
  }

  get process(): Process {
    return this.#running.process;
  }

  /** Resolves with a 2xx answer, rejects with any other and when none comes in time. */
  append(entry: ConversationEntry): Promise<void> {
    return this.#request("route", partitionOf(entry.contact, this.#counts.route), () => entry);
  }

  /** As {@link append}. */
  appendReport(report: Omit<ReportEntry, "at" | "kind">): Promise<void> {
    const key = report.messageId ?? report.providerId ?? "";
    return this.#request(
      "status",
      hash32(key) % this.#counts.status,
      (at) => ({ kind: "report", at, ...report }),
    );
  }

  #request(kind: LogKind, partition: number, entryAt: (at: number) => unknown): Promise<void> {
    const world = this.#world;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = world.after(HTTP_MS_MAX, () => reject(new Error("no answer in time")));
    const back = (settle: () => void) =>
      world.after(world.between(0.2, 5), () => {
        if (world.chance(world.weather.unanswered)) return;
        giveUp();
        settle();
      });
    world.after(world.between(0.2, 5), () => {
      const { process, logs } = this.#running;
      process.hear(() => {
        const name = `${kind} ${partition}`;
        let log = logs.get(name);
        if (log === undefined) logs.set(name, log = this.#logOf(process, kind, partition));
        const copies = this.#broker.copies(kind, partition);
        log.add({ text: JSON.stringify(entryAt(process.clock.now())), copies })
          .then(() => back(resolve), () => back(() => reject(new Error("503"))));
      });
    });
    return promise;
  }

  #logOf(process: Process, kind: LogKind, partition: number): GroupCommit<Waiting> {
    const broker = this.#broker;
    return new GroupCommit<Waiting>({
      maxItems: 5,
      maxSize: 100_000,
      sizeOf: ({ text }) => text.length,
      write: async (items) => {
        // The real one fails all that waits when the connection is lost.
        const copies = broker.copies(kind, partition);
        if (items.some((item) => item.copies !== copies)) throw new LineError("the connection was lost");
        await broker.append(process, kind, partition, packEntries(items.map(({ text }) => text)));
      },
    });
  }

  #start(): void {
    const process = new Process(this.#world, `ingress ${++this.#runs}`, true);
    process.onDeath = () => this.#world.after(this.#world.between(50, 1_000), () => this.#start());
    this.#running = { process, logs: new Map() };
  }
}
