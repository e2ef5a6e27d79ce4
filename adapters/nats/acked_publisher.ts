/**
 * Publishes to JetStream and waits for the acknowledgement, without the client library's price per request: one
 * inbox for all, one timer for all, no stack trace per call. On the ingress's path that price was a third of
 * everything that publishing cost.
 *
 * What is published while the connection is lost goes nowhere: the client drops it with each try to connect.
 * So whatever waits fails at once when the connection goes, and nothing is taken until it is back.
 *
 * @module
 */
import { createInbox, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";

/** The stream did not take the message, or nobody knows whether it did. */
export class PublishError extends Error {
  override readonly name = "PublishError";
  /** JetStream's own code, 0 where there is none. See https://github.com/nats-io/nats-server/blob/main/server/errors.json */
  readonly code: number;

  constructor(message: string, code = 0) {
    super(message);
    this.code = code;
  }
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: PublishError) => void;
  readonly deadlineMs: number;
}

interface Ack {
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

const SWEEP_MS = 500;

export class AckedPublisher {
  readonly #connection: NatsConnection;
  readonly #timeoutMs: number;
  readonly #inbox = createInbox();
  readonly #waiting = new Map<string, Waiting>();
  readonly #sweep: ReturnType<typeof setInterval>;
  readonly #unsubscribe: () => void;
  #counter = 0;
  #isAway = false;

  constructor(connection: NatsConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    const subscription = connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error) return;
        const token = message.subject.slice(this.#inbox.length + 1);
        const waiting = this.#waiting.get(token);
        if (waiting === undefined) return;
        this.#waiting.delete(token);
        if (message.headers?.code === 503) return waiting.reject(new PublishError("no stream takes it", 503));
        const { error: refused } = message.json<Ack>();
        if (refused === undefined) waiting.resolve();
        else waiting.reject(new PublishError(refused.description ?? "refused", refused.err_code ?? 0));
      },
    });
    this.#unsubscribe = () => subscription.unsubscribe();
    this.#sweep = setInterval(() => this.#expire(), SWEEP_MS);
    this.#watch();
  }

  /** Whether the connection is lost: everything published now fails. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Resolves when the stream has stored the message. Rejects with {@link PublishError}. */
  publish(subject: string, data: Uint8Array | string, headers?: MsgHdrs): Promise<void> {
    if (this.#isAway) return Promise.reject(new PublishError("the broker is not reached"));
    const token = (++this.#counter).toString(36);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.set(token, { resolve, reject, deadlineMs: performance.now() + this.#timeoutMs });
    const reply = `${this.#inbox}.${token}`;
    try {
      this.#connection.publish(subject, data, headers === undefined ? { reply } : { reply, headers });
    } catch (error) {
      this.#waiting.delete(token);
      reject(new PublishError((error as Error).message));
    }
    return promise;
  }

  stop(): void {
    clearInterval(this.#sweep);
    if (!this.#connection.isClosed()) this.#unsubscribe();
    this.#failAll("the server is stopping");
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === "disconnect") {
        this.#isAway = true;
        this.#failAll("the connection to the broker was lost");
      }
      if (type === "reconnect") this.#isAway = false;
    }
  }

  #failAll(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(new PublishError(reason));
    this.#waiting.clear();
  }

  #expire(): void {
    const now = performance.now();
    for (const [token, { deadlineMs, reject }] of this.#waiting) {
      // Deadlines grow with the order of insertion.
      if (deadlineMs > now) return;
      this.#waiting.delete(token);
      reject(new PublishError("no acknowledgement in time"));
    }
  }
}
