/**
 * A listener of `/v1/events` that can leave at any moment and come back where it was, as browsers do.
 *
 * @module
 */
import type { CloudEvent } from "../../core/events.ts";
import type { Api } from "./api.ts";
import { until } from "./until.ts";

export class EventClient implements AsyncDisposable {
  readonly #api: Api;
  readonly #query: string;
  readonly events: CloudEvent[] = [];
  /** Called with each event as it comes. */
  onEvent: ((event: CloudEvent) => void) | null = null;
  lastEventId = "";
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #reading: Promise<void> = Promise.resolve();

  constructor(api: Api, query = "") {
    this.#api = api;
    this.#query = query;
  }

  /** Begins to listen, after the last event it has; resolves when the place in the stream is known. */
  async connect(): Promise<void> {
    const response = await fetch(`${this.#api.url}/v1/events${this.#query}`, {
      headers: {
        authorization: `Bearer ${this.#api.key}`,
        ...(this.lastEventId === "" ? {} : { "last-event-id": this.lastEventId }),
      },
    });
    if (response.status !== 200) throw new Error(`/v1/events: ${response.status} ${await response.text()}`);
    this.#reader = response.body!.getReader();
    this.#reading = this.#read(this.#reader);
    await until("the stream tells its place", () => this.lastEventId !== "");
  }

  /** Breaks the line off in the middle of whatever it brings. */
  async disconnect(): Promise<void> {
    await this.#reader?.cancel().catch(() => {});
    await this.#reading;
  }

  get connected(): boolean {
    return this.#reader !== null;
  }

  /** Waits for an event that fits, also among those that came before. */
  async sees(what: string, fits: (event: CloudEvent) => boolean, msMax?: number): Promise<CloudEvent> {
    return await until(`the event: ${what}`, () => this.events.find(fits), msMax);
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
        rest = blocks.pop()!;
        for (const block of blocks) this.#take(block);
      }
    } catch {
      // Broken off by the other side.
    }
    this.#reader = null;
  }

  #take(block: string): void {
    const fields = new Map(
      block.split("\n").map((line) => {
        const colon = line.indexOf(": ");
        return [line.slice(0, colon), line.slice(colon + 2)];
      }),
    );
    const data = fields.get("data");
    if (data !== undefined) {
      const event = JSON.parse(data) as CloudEvent;
      this.events.push(event);
      this.onEvent?.(event);
    }
    this.lastEventId = fields.get("id") ?? this.lastEventId;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }
}
