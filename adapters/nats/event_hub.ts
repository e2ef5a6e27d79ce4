/**
 * Reads the EVENTS stream for any number of listeners in this process: one shared reader for what is new,
 * a passing one for each listener that has to catch up first. What this very process commits is told ahead
 * of the stream where that keeps the order (`core/events_ahead.ts`), and passed over when the stream brings it.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { JetStreamManager } from "@nats-io/jetstream";
import { catchUp, EventListeners } from "../../core/event_listeners.ts";
import { placeAfter, placeText } from "../../core/event_place.ts";
import type { CloudEvent } from "../../core/events.ts";
import type { OutboxRow } from "../../core/outbox.ts";
import type { EventSource } from "../../core/ports/events.ts";
import { type StreamMessage, StreamReader } from "./stream_reader.ts";
import type { Names } from "./topology.ts";

interface Live {
  readonly reader: StreamReader;
  readonly listeners: EventListeners;
}

export class EventHub implements EventSource {
  readonly #connection: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;
  readonly #name: string;
  readonly #decoder = new TextDecoder();
  #live: Live | null = null;
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
    this.#live?.reader.stop();
    this.#live = null;
  }

  /** For the owner to call when the connection came back. */
  restart(reason: string): void {
    this.#live?.reader.restart(reason);
  }

  /** Takes what this process committed under `epoch`, before it is published. */
  committed(row: OutboxRow, epoch: number): void {
    this.#live?.listeners.committed(row, epoch);
  }

  async position(): Promise<string> {
    const sequence = this.#live === null ? await this.#lastSequence() : this.#live.listeners.next - 1;
    return placeText(this.#generation, sequence);
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
        this.#live?.reader.stop();
        this.#live = null;
      }
    }
  }

  /** The shared reader, started at the stream's end if it does not run. */
  async #goLive(): Promise<Live> {
    while (this.#live === null) {
      this.#starting ??= this.#startLive().finally(() => this.#starting = null);
      await this.#starting;
    }
    return this.#live;
  }

  async #startLive(): Promise<void> {
    const next = await this.#lastSequence() + 1;
    if (this.#stopping.signal.aborted) throw new Error("the server is stopping");
    const listeners = new EventListeners(this.#generation, next);
    const reader = this.#reader(
      next,
      ({ sequence, data }) => listeners.streamed(sequence, this.#decode(data)),
    );
    this.#live = { reader, listeners };
    await reader.start();
  }

  async #lastSequence(): Promise<number> {
    const info = await this.#jsm.streams.info(this.#names.eventStream);
    this.#generation = Math.trunc(new Date(info.created).getTime()).toString(36);
    return info.state.last_seq;
  }

  async #follow(
    { listeners }: Live,
    { after, onEvent, signal }: Parameters<EventSource["subscribe"]>[0],
  ): Promise<void> {
    const ended = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
    const generation = this.#generation;
    const place = after === undefined
      ? { from: listeners.next, had: new Set<string>() }
      : placeAfter(after, generation);
    const attach = () => signal.addEventListener("abort", listeners.attach(place, onEvent), { once: true });
    let past: StreamReader | null = null;
    if (place.from >= listeners.next) attach();
    else {
      // Reads from the client's place until it meets the shared reader; both run on one thread, so the
      // hand-over between two messages is exact.
      past = this.#reader(place.from, ({ sequence, data }) => {
        if (past === null) return;
        const event = this.#decode(data);
        if (event !== null) catchUp(place, { generation, sequence, event }, onEvent);
        if (sequence + 1 >= listeners.next) {
          attach();
          past.stop();
          past = null;
        }
      });
      await past.start();
    }
    if (!signal.aborted) await ended;
    past?.stop();
  }

  #decode(data: Uint8Array): CloudEvent | null {
    try {
      const event = JSON.parse(this.#decoder.decode(data)) as Partial<CloudEvent> | null;
      // Somebody else's message on our subject: there is nothing to show for it.
      if (typeof event?.type !== "string" || typeof event.data !== "object" || event.data === null) {
        return null;
      }
      return event as CloudEvent;
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
