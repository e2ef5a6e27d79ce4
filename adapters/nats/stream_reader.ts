/**
 * Reads one stream from a sequence on, in order and with nothing missed, without acknowledging anything:
 * what is done is known by the reader's owner (a partition's cursor, a client's `Last-Event-ID`).
 *
 * The consumer lives in the server's memory and dies with it. Whatever goes wrong — a lost connection, a
 * restarted server, a skipped delivery, silence — has one answer: make a new consumer after the last
 * message handed over, and go on. A bare consumer misses messages under reconnects; the check of the
 * delivery sequence is what makes this safe.
 *
 * @module
 */
import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import { createInbox, type Msg } from "@nats-io/transport-node";
import { AckPolicy, DeliverPolicy, type JetStreamManager, ReplayPolicy } from "@nats-io/jetstream";

export interface StreamMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly data: Uint8Array;
  /** When the stream stored it, ns since 1970 as digits. */
  readonly stored: string;
}

export interface StreamReaderOptions {
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly stream: string;
  /** Only these subjects; absent: all. */
  readonly filterSubject?: string;
  /** The first sequence wanted. */
  readonly startSequence: number;
  /** Consumers are named by it, so that an operator sees whose they are. */
  readonly name: string;
  readonly onMessage: (message: StreamMessage) => void;
  /** Asked before more is pulled: false holds the reader until {@link StreamReader.pump} is called. */
  readonly hasRoom?: () => boolean;
  /** Called with the cause each time the reader had to start anew. */
  readonly onRestart?: (reason: string) => void;
  /**
   * Asked whenever there is a new consumer, before anything is pulled: a consumer ends with its stream, so that what it
   * delivers is of the stream that was looked at. False ends the reader; when it rejects, the next consumer is made.
   */
  readonly mayRead?: () => Promise<boolean>;
}

/** Messages asked for at once; half of them used up asks for more. */
const PULL_BATCH = 256;
const PULL_EXPIRES_MS = 30_000;
const RESTART_PAUSE_MS = 200;

export class StreamReader {
  readonly #options: StreamReaderOptions;
  readonly #encoder = new TextEncoder();
  #next: number;
  #generation = 0;
  #subscription: Subscription | null = null;
  #consumer = "";
  #inbox = "";
  #delivered = 0;
  #outstanding = 0;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #restarting: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#next = options.startSequence;
  }

  /** The sequence that comes next. */
  get nextSequence(): number {
    return this.#next;
  }

  /** Makes the consumer and starts to pull. A failure is tried again until {@link stop}. */
  async start(): Promise<void> {
    await this.#begin().catch((error) => this.#restart(`no consumer: ${(error as Error).message}`));
  }

  /** Starts anew after the last message handed over: for its owner to call when the connection came back. */
  restart(reason: string): void {
    this.#restart(reason);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#watchdog);
    clearTimeout(this.#restarting);
    this.#drop();
  }

  /** Pulls more if there is room. */
  pump(): void {
    if (this.#stopped || this.#subscription === null) return;
    if (this.#outstanding > PULL_BATCH / 2) return;
    if (this.#options.hasRoom?.() === false) return;
    const batch = PULL_BATCH - this.#outstanding;
    this.#outstanding += batch;
    this.#options.connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${this.#options.stream}.${this.#consumer}`,
      this.#encoder.encode(JSON.stringify({ batch, expires: PULL_EXPIRES_MS * 1e6 })),
      { reply: this.#inbox },
    );
    this.#armWatchdog();
  }

  async #begin(): Promise<void> {
    const { connection, jsm, stream, filterSubject, name } = this.#options;
    const generation = ++this.#generation;
    const consumer = `${name}_${generation}_${
      Math.trunc(performance.timeOrigin + performance.now()).toString(36)
    }`;
    const info = await jsm.consumers.add(stream, {
      name: consumer,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, this.#next),
      replay_policy: ReplayPolicy.Instant,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: 60e9,
      ...(filterSubject ? { filter_subject: filterSubject } : {}),
    });
    if (this.#stopped || generation !== this.#generation) {
      jsm.consumers.delete(stream, consumer).catch(() => {});
      return;
    }
    this.#consumer = info.name;
    if (await this.#options.mayRead?.() === false) this.stop();
    if (this.#stopped || generation !== this.#generation) return;
    this.#inbox = createInbox();
    this.#delivered = 0;
    this.#outstanding = 0;
    this.#subscription = connection.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error) this.#restart(error.message);
        else if (generation === this.#generation) this.#onMessage(message);
      },
    });
    this.pump();
    this.#armWatchdog();
  }

  #onMessage(message: Msg): void {
    if (message.reply === undefined || message.reply === "") {
      this.#onStatus(message);
      return;
    }
    // $JS.ACK.<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.<time>.<pending>, with <domain>.<account>
    // after the second token on servers that have them.
    const tokens = message.reply.split(".");
    const at = tokens.length >= 11 ? 7 : 5;
    const sequence = Number(tokens[at]);
    const delivered = Number(tokens[at + 1]);
    if (delivered !== this.#delivered + 1) {
      this.#restart(`delivery ${delivered} came after ${this.#delivered}`);
      return;
    }
    this.#delivered = delivered;
    this.#outstanding--;
    this.#next = sequence + 1;
    this.#options.onMessage({
      sequence,
      subject: message.subject,
      data: message.data,
      stored: tokens[at + 2]!,
    });
    this.pump();
  }

  #onStatus(message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === 100) return;
    if (code === 404 || code === 408) {
      const left = Number(message.headers?.get("Nats-Pending-Messages"));
      this.#outstanding = Number.isFinite(left) ? Math.max(0, this.#outstanding - left) : 0;
      if (code === 408 && !Number.isFinite(left)) this.#outstanding = 0;
      this.pump();
      return;
    }
    this.#restart(`the server said ${code} ${message.headers?.description ?? ""}`);
  }

  /** A pull answers at the latest when it expires; silence beyond that means that the consumer is gone. */
  #armWatchdog(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      if (this.#outstanding > 0) this.#restart("a pull was never answered");
      else this.#armWatchdog();
    }, PULL_EXPIRES_MS + 5_000);
  }

  #restart(reason: string): void {
    if (this.#stopped || this.#restarting !== undefined) return;
    this.#options.onRestart?.(reason);
    this.#drop();
    this.#restarting = setTimeout(() => {
      this.#restarting = undefined;
      if (!this.#stopped) this.start();
    }, RESTART_PAUSE_MS);
  }

  #drop(): void {
    this.#generation++;
    this.#subscription?.unsubscribe();
    this.#subscription = null;
    if (this.#consumer !== "" && !this.#options.connection.isClosed()) {
      this.#options.jsm.consumers.delete(this.#options.stream, this.#consumer).catch(() => {});
    }
    this.#consumer = "";
  }
}
