/**
 * Reads the EVENTS stream for any number of listeners in this process: one shared reader for what is new,
 * a passing one for each listener that has to catch up first.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { JetStreamManager } from "@nats-io/jetstream";
import type { CloudEvent } from "../../core/events.ts";
import type { EventSource, StreamedEvent } from "../../core/ports/events.ts";
import { type StreamMessage, StreamReader } from "./stream_reader.ts";
import type { Names } from "./topology.ts";

type Listener = (message: StreamMessage, event: StreamedEvent) => void;

export class EventHub implements EventSource {
  readonly #connection: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;
  readonly #name: string;
  readonly #listeners = new Set<Listener>();
  readonly #decoder = new TextDecoder();
  #live: StreamReader | null = null;
  #starting: Promise<void> | null = null;
  #clients = 0;
  readonly #stopping = new AbortController();
  #generation = "";

  constructor(connection: NatsConnection, jsm: JetStreamManager, names: Names, processId: string) {
    this.#connection = connection;
    this.#jsm = jsm;
    this.#names = names;
    this.#name = `events_${processId}`;
  }

  /** Ends every subscription. Safe to repeat. */
  stop(): void {
    this.#stopping.abort();
    this.#live?.stop();
    this.#live = null;
  }

  /** For the owner to call when the connection came back. */
  restart(reason: string): void {
    this.#live?.restart(reason);
  }

  async position(): Promise<string> {
    const sequence = this.#live === null ? await this.#lastSequence() : this.#live.nextSequence - 1;
    return `${this.#generation}-${sequence}`;
  }

  async subscribe(asked: Parameters<EventSource["subscribe"]>[0]): Promise<void> {
    const options = { ...asked, signal: AbortSignal.any([asked.signal, this.#stopping.signal]) };
    this.#clients++;
    try {
      const live = await this.#goLive();
      if (!options.signal.aborted) await this.#follow(live, options);
    } finally {
      // Without listeners nothing is read: every event would cost the broker and this process for nobody.
      if (--this.#clients === 0) {
        this.#live?.stop();
        this.#live = null;
      }
    }
  }

  /** The shared reader, started at the stream's end if it does not run. */
  async #goLive(): Promise<StreamReader> {
    while (this.#live === null) {
      this.#starting ??= this.#startLive().finally(() => this.#starting = null);
      await this.#starting;
    }
    return this.#live;
  }

  async #startLive(): Promise<void> {
    const live = this.#reader(await this.#lastSequence() + 1, (message) => {
      const event = this.#decode(message);
      if (event !== null) { for (const listener of this.#listeners) listener(message, event); }
    });
    if (this.#stopping.signal.aborted) throw new Error("the server is stopping");
    this.#live = live;
    await live.start();
  }

  async #lastSequence(): Promise<number> {
    const info = await this.#jsm.streams.info(this.#names.eventStream);
    this.#generation = Math.trunc(new Date(info.created).getTime()).toString(36);
    return info.state.last_seq;
  }

  async #follow(
    live: StreamReader,
    { after, onEvent, signal }: Parameters<EventSource["subscribe"]>[0],
  ): Promise<void> {
    const ended = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
    let position = after === undefined ? null : this.#sequenceAfter(after);
    let catchUp: StreamReader | null = null;
    const attach = () => {
      const listener: Listener = (message, event) => {
        if (position !== null && message.sequence < position) return;
        onEvent(event);
      };
      this.#listeners.add(listener);
      signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
    };
    if (position === null || position >= live.nextSequence) attach();
    else {
      // Reads from the client's place until it meets the shared reader; both run on one thread, so the
      // hand-over between two messages is exact.
      catchUp = this.#reader(position, (message) => {
        if (catchUp === null) return;
        position = message.sequence + 1;
        const event = this.#decode(message);
        if (event !== null) onEvent(event);
        if (position >= live.nextSequence) {
          attach();
          catchUp.stop();
          catchUp = null;
        }
      });
      await catchUp.start();
    }
    if (!signal.aborted) await ended;
    catchUp?.stop();
  }

  /** The sequence after a client's `Last-Event-ID`; the oldest one when the stream is not the one it knew. */
  #sequenceAfter(position: string): number {
    const [generation, sequence] = position.split("-");
    const number = Number(sequence);
    return generation === this.#generation && Number.isSafeInteger(number) && number >= 0 ? number + 1 : 1;
  }

  #decode(message: StreamMessage): StreamedEvent | null {
    try {
      const event = JSON.parse(this.#decoder.decode(message.data)) as Partial<CloudEvent> | null;
      // Somebody else's message on our subject: there is nothing to show for it.
      if (typeof event?.type !== "string" || typeof event.data !== "object" || event.data === null) {
        return null;
      }
      return { position: `${this.#generation}-${message.sequence}`, event: event as CloudEvent };
    } catch {
      return null;
    }
  }

  #reader(startSequence: number, onMessage: (message: StreamMessage) => void): StreamReader {
    return new StreamReader({
      connection: this.#connection,
      jsm: this.#jsm,
      stream: this.#names.eventStream,
      filterSubject: this.#names.allEvents,
      startSequence,
      name: this.#name,
      onMessage,
    });
  }
}
