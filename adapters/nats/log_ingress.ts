/**
 * The way into the partitions' logs: one group commit per partition, under load on a common beat; streams fsync in
 * parallel.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import {
  type CommandEntry,
  type CommandReply,
  type ConversationEntry,
  packEntries,
  type ReportEntry,
} from "../../core/entry.ts";
import { Beat } from "../../core/beat.ts";
import { GroupCommit } from "../../core/group_commit.ts";
import type { DispatchEntry } from "../../core/dispatch/entry.ts";
import { hash32, partitionOf, STATUS_PARTITIONS } from "../../core/partition.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { DispatchLog } from "../../core/ports/dispatch_log.ts";
import { type Ingress, UnavailableError } from "../../core/ports/ingress.ts";
import { AckedPublisher } from "./acked_publisher.ts";
import { nextTick } from "./next_tick.ts";
import type { LogKind, Names } from "./topology.ts";

export interface LogIngressOptions {
  readonly connection: NatsConnection;
  readonly names: Names;
  readonly partitions: number;
  /** Tells this process's answers from those of others. */
  readonly processId: string;
  /** The version of the configuration that this process knows: entries go with it. */
  readonly configuration: () => number;
  readonly clock: Clock;
  /** Entries that may wait for their fsync before requests are refused. */
  readonly maxPending?: number;
  /** How long a command waits for its answer. */
  readonly commandTimeoutMs?: number;
}

const MAX_PENDING = 20_000;
const COMMAND_TIMEOUT_MS = 10_000;
const SWEEP_MS = 250;
const MAX_WAITING_COMMANDS = 10_000;
const PUBLISH_TIMEOUT_MS = 5_000;
/**
 * From 2,000 entries a second on, packs leave together: at 11,000 webhooks a second in one process on two cores a pack
 * of one of 8 partitions then has a dozen entries instead of two, and nats-server takes 11 µs of CPU each instead of 34.
 */
const BUSY_FROM = 16;
/**
 * Where acknowledgements take long, beats are longer, until they have so many entries: with four processes each has a
 * quarter of the entries, and would send as many packs of a quarter of the size. A server that is not busy acknowledges
 * in less than 16 ms.
 */
const ENOUGH = 128;
const BEAT_PACE = { leastMs: 8, freeMs: 16, times: 3, mostMs: 40 };
/** Entries in one packed message: beyond it decoding would hold up the event loop. */
const MAX_PACK_ENTRIES = 500;

export class LogIngress implements Ingress, DispatchLog {
  readonly #options: LogIngressOptions;
  readonly #publisher: AckedPublisher;
  readonly #logs = new Map<string, GroupCommit<string>>();
  readonly #replies: ReplyBox;
  readonly #beat: Beat;
  #pending = 0;

  constructor(options: LogIngressOptions) {
    this.#options = options;
    this.#publisher = new AckedPublisher(options.connection, PUBLISH_TIMEOUT_MS);
    this.#beat = new Beat({
      pace: BEAT_PACE,
      busyFrom: BUSY_FROM,
      enough: ENOUGH,
      soon: nextTick,
      clock: options.clock,
    });
    this.#replies = new ReplyBox(
      options.connection,
      options.names,
      options.processId,
      options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
    );
  }

  refusal(): UnavailableError | null {
    if (this.#publisher.isAway) return new UnavailableError("the message log is not reached");
    if (this.#pending >= (this.#options.maxPending ?? MAX_PENDING)) {
      return new UnavailableError("too many messages are waiting to be written");
    }
    return null;
  }

  append(entry: ConversationEntry): Promise<void> {
    return this.#add("route", partitionOf(entry.contact, this.#options.partitions), entry);
  }

  appendReport(entry: ReportEntry): Promise<void> {
    const key = entry.messageId ?? entry.providerId ?? "";
    return this.#add("status", hash32(key) % STATUS_PARTITIONS, entry);
  }

  execute(command: Omit<CommandEntry, "kind" | "replyTo">): Promise<CommandReply> {
    return this.#answered((replyTo) => this.append({ ...command, kind: "command", replyTo }));
  }

  async tell(entries: readonly DispatchEntry[]): Promise<void> {
    await Promise.all(entries.map((entry) => this.#add("dispatch", 0, entry)));
  }

  ask(entry: Parameters<DispatchLog["ask"]>[0]): Promise<CommandReply> {
    return this.#answered((replyTo) => this.#add("dispatch", 0, { ...entry, replyTo }));
  }

  /** Hands an answer to a command of this very process over without the broker. False when it is another's. */
  deliver(to: string, reply: CommandReply): boolean {
    return this.#replies.deliver(to, reply);
  }

  /** Entries that wait for their fsync. */
  get pending(): number {
    return this.#pending;
  }

  stop(): void {
    this.#publisher.stop();
    this.#replies.stop();
  }

  /** Appends what `append` makes of the subject that waits for the answer, and resolves with the answer. */
  async #answered(append: (replyTo: string) => Promise<void>): Promise<CommandReply> {
    const refusal = this.refusal();
    if (refusal !== null) throw refusal;
    if (this.#replies.size >= MAX_WAITING_COMMANDS) {
      throw new UnavailableError("too many commands wait for their conversations' owners");
    }
    const waiting = this.#replies.expect();
    try {
      await append(waiting.subject);
    } catch (error) {
      waiting.cancel();
      throw error;
    }
    return await waiting.reply;
  }

  async #add(
    kind: LogKind,
    partition: number,
    entry: ConversationEntry | ReportEntry | DispatchEntry,
  ): Promise<void> {
    const subject = this.#options.names.logSubject(kind, partition);
    let log = this.#logs.get(subject);
    if (log === undefined) {
      const limit = this.#options.connection.info?.max_payload ?? 1_048_576;
      log = new GroupCommit<string>({
        // A unit of UTF-16 takes three bytes at most; that an entry's fields take one leaves room for what is around.
        maxSize: limit / 3,
        maxItems: MAX_PACK_ENTRIES,
        sizeOf: (text) => text.length,
        write: (items) => this.#write(subject, items),
        start: (run) => this.#beat.start(run),
        linger: () => this.#beat.linger(),
      });
      this.#logs.set(subject, log);
    }
    this.#pending++;
    this.#beat.count();
    try {
      await log.add(JSON.stringify(entry));
    } finally {
      this.#pending--;
    }
  }

  async #write(subject: string, items: readonly string[]): Promise<void> {
    const { clock, configuration } = this.#options;
    const startedMs = clock.monotonic();
    try {
      await this.#publisher.publish(subject, packEntries(items, configuration()));
      this.#beat.took(clock.monotonic() - startedMs);
    } catch (error) {
      throw new UnavailableError(`the message log cannot be written: ${(error as Error).message}`);
    }
  }
}

interface WaitingReply {
  readonly resolve: (reply: CommandReply) => void;
  readonly reject: (error: UnavailableError) => void;
  readonly deadlineMs: number;
}

/** Waits for answers on one subject of this process. */
class ReplyBox {
  readonly #prefix: string;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<string, WaitingReply>();
  readonly #stop: () => void;
  #counter = 0;

  constructor(connection: NatsConnection, names: Names, processId: string, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#prefix = names.replySubject(processId, "");
    const subscription = connection.subscribe(names.replySubject(processId, "*"), {
      callback: (error, message) => {
        if (error) return;
        this.deliver(message.subject, message.json<CommandReply>());
      },
    });
    // One timer for all: one for each command would cost as much as making its answer.
    const sweep = setInterval(() => this.#expire(), Math.min(SWEEP_MS, timeoutMs));
    this.#stop = () => {
      clearInterval(sweep);
      subscription.unsubscribe();
    };
  }

  deliver(to: string, reply: CommandReply): boolean {
    if (!to.startsWith(this.#prefix)) return false;
    const request = to.slice(this.#prefix.length);
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    waiting?.resolve(reply);
    return true;
  }

  /** Commands that wait for their answer. */
  get size(): number {
    return this.#waiting.size;
  }

  expect(): { subject: string; reply: Promise<CommandReply>; cancel: () => void } {
    const request = (++this.#counter).toString(36);
    const { promise, resolve, reject } = Promise.withResolvers<CommandReply>();
    // It may be refused while its caller still waits for the log, and must not count as unhandled then.
    promise.catch(() => {});
    this.#waiting.set(request, { resolve, reject, deadlineMs: performance.now() + this.#timeoutMs });
    return {
      subject: `${this.#prefix}${request}`,
      reply: promise,
      cancel: () => void this.#waiting.delete(request),
    };
  }

  stop(): void {
    this.#stop();
    for (const { reject } of this.#waiting.values()) reject(new UnavailableError("the server is stopping"));
    this.#waiting.clear();
  }

  #expire(): void {
    const now = performance.now();
    for (const [request, { deadlineMs, reject }] of this.#waiting) {
      // Deadlines grow with the order of insertion.
      if (deadlineMs > now) return;
      this.#waiting.delete(request);
      reject(new UnavailableError("the conversation's owner did not answer in time; coming again is safe"));
    }
  }
}
