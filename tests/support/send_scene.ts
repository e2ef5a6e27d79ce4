/**
 * A send worker over a real database, with a provider that answers as a test says.
 *
 * @module
 */
import { PostgresPartitionStore } from "../../adapters/postgres/partition_store.ts";
import { PostgresSendStore } from "../../adapters/postgres/send_store.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import type { Channel, OwnNumber } from "../../core/channel.ts";
import { type Directory, EMPTY_DIRECTORY } from "../../core/directory.ts";
import type { PatchbayEvent } from "../../core/events.ts";
import type { MessageRow } from "../../core/message.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { Provider } from "../../core/ports/provider.ts";
import type { CallOutcome } from "../../core/ports/provider_call.ts";
import { SEND_LANES } from "../../core/send/queued_message.ts";
import { SendWorker, type SendWorkerOptions } from "../../core/send/send_worker.ts";
import { fakeProvider } from "./fake_provider.ts";
import { insertMessages, readMessage } from "./message_rows.ts";
import { takeOver } from "./partitions.ts";
import { type TestDatabase, testPostgres } from "./postgres.ts";
import {
  CHANNEL_ID,
  channelOf,
  messageId as messageIdAt,
  NUMBER_ID,
  ownNumber,
  queuedMessage as queuedMessageAt,
} from "./send_fixtures.ts";

/** Messages of now: old ones would not be tried again. */
export const START = Date.now();
export const messageId = (index: number) => messageIdAt(index, START);
export const queuedMessage = (index: number, changes: Partial<MessageRow> = {}) =>
  queuedMessageAt(index, { created_ms: START, ...changes });

/** Takes everything; what a call carried can be read from its body. */
const provider: Provider = {
  ...fakeProvider,
  kind: "test",
  buildSend: (message) => ({ method: "POST", url: "http://127.0.0.1/", headers: {}, body: message.id }),
  readSend: ({ status, body }) =>
    status === 200 ? { kind: "accepted", providerId: `p-${body}` } : {
      kind: "failed",
      error: { class: status === 429 ? "throttled" : "rejected", reason: `answered ${status}` },
    },
};

/** The provider's answer to a call; 200: it took the message. */
export function answered(status: number, body: string): CallOutcome {
  return { kind: "answered", answer: { status, headers: {}, body } };
}

const ALL_LANES = Array.from({ length: SEND_LANES }, (_, lane) => lane);

/** A configuration with one channel of these settings, and one number. */
export class Settings implements DirectorySource {
  #directory: Directory;
  readonly #listeners = new Set<(directory: Directory) => void>();

  constructor(settings: Record<string, unknown>) {
    this.#directory = Settings.#of(settings);
  }

  current() {
    return this.#directory;
  }

  onChange(listener: (directory: Directory) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Another channel, with its own number. */
  add(channel: Channel, number: OwnNumber): void {
    const { channels, numbers } = this.#directory;
    this.#directory = {
      ...this.#directory,
      channels: new Map([...channels, [channel.id, channel]]),
      numbers: new Map([...numbers, [number.id, number]]),
    };
  }

  change(settings: Record<string, unknown>): void {
    this.#directory = Settings.#of(settings);
    for (const listener of this.#listeners) listener(this.#directory);
  }

  static #of(settings: Record<string, unknown>): Directory {
    return {
      ...EMPTY_DIRECTORY,
      channels: new Map([[CHANNEL_ID, channelOf({ rateMps: 100_000, ...settings })]]),
      numbers: new Map([[NUMBER_ID, ownNumber()]]),
    };
  }
}

/** A database with the workers on it, and what they did. */
export class Scene {
  readonly calls: string[] = [];
  /** Channels' names and messages' ids. */
  readonly through: string[] = [];
  readonly events: PatchbayEvent[] = [];
  readonly fenced: number[] = [];
  readonly errors: string[] = [];
  answer: (id: string, tries: number, channel: Channel) => CallOutcome | Promise<CallOutcome> = (id) =>
    answered(200, id);

  constructor(readonly database: TestDatabase) {}

  worker(settings: Settings, changes: Partial<SendWorkerOptions> = {}): SendWorker {
    return new SendWorker({
      isSure: () => true,
      store: new PostgresSendStore(this.database.sql),
      partitions: new PostgresPartitionStore(this.database.sql),
      directory: settings,
      providers: new Map([["test", provider]]),
      call: async (channel, { body }) => {
        this.calls.push(body!);
        this.through.push(`${channel.name} ${body}`);
        return await this.answer(body!, this.calls.filter((id) => id === body).length, channel);
      },
      statusUrl: () => "http://127.0.0.1/status",
      publish: (row) => {
        this.events.push(...row.payload.events);
        return Promise.resolve();
      },
      clock: systemClock,
      random: () => 0.5,
      onFenced: (lanes) => this.fenced.push(...lanes),
      onError: (error, what) => this.errors.push(`${what}: ${error.message}`),
      ...changes,
    });
  }

  /** Starts it and gives it all lanes, whoever has them. */
  async start(worker: SendWorker): Promise<void> {
    worker.start();
    const partitions = new PostgresPartitionStore(this.database.sql);
    await worker.gain(await takeOver(partitions, "send", ALL_LANES, "test"));
  }

  /** As in a stop in good order. */
  async stop(worker: SendWorker): Promise<void> {
    await worker.lose(ALL_LANES, "released");
    await worker.stop();
  }

  async until(what: string, reached: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 15_000;
    while (!await reached()) {
      if (performance.now() > deadline) throw new Error(`never: ${what}; ${this.errors.join("; ")}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async count(status: string): Promise<number> {
    const [row] = await this.database.sql<[{ count: number }]>`
      select count(*)::int as count from messages where status = ${status}`;
    return row.count;
  }

  read(index: number): Promise<MessageRow> {
    return readMessage(this.database.sql, messageId(index));
  }

  insert(...rows: MessageRow[]): Promise<void> {
    return insertMessages(this.database.sql, rows);
  }
}

/** Runs steps of a test, each with a database of its own. */
export async function inScenes(
  t: Deno.TestContext,
  run: (step: (name: string, run: (scene: Scene) => Promise<void>) => Promise<boolean>) => Promise<void>,
): Promise<void> {
  await using postgres = await testPostgres();
  await run((name, run) =>
    t.step(name, async () => {
      await using database = await postgres.database();
      await run(new Scene(database));
    })
  );
}
