/**
 * Media workers on a real database and a real object store, with a host of media to fetch from.
 *
 * @module
 */
import { createDownload } from "../../adapters/http_client/media_download.ts";
import { parseAllowList, PrivateAddressGuard } from "../../adapters/http_client/private_address_guard.ts";
import { sniffType } from "../../adapters/media/sniff.ts";
import { NatsMediaStore } from "../../adapters/nats/media_store.ts";
import { PostgresMediaQueue } from "../../adapters/postgres/media_queue.ts";
import { PostgresMediaRegistry } from "../../adapters/postgres/media_registry.ts";
import { bandwidth } from "../../adapters/providers/bandwidth.ts";
import { twilio } from "../../adapters/providers/twilio.ts";
import { type Channel, ChannelSettingsSchema } from "../../core/channel.ts";
import { type Directory, EMPTY_DIRECTORY } from "../../core/directory.ts";
import type { PatchbayEvent } from "../../core/events.ts";
import { newId } from "../../core/ids.ts";
import { MediaLinks } from "../../core/media/media_links.ts";
import { MediaWorker } from "../../core/media/media_worker.ts";
import type { MessageRow } from "../../core/message.ts";
import type { Clock } from "../../core/ports/clock.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import { fillRandom } from "../../adapters/system/random.ts";
import { MASTER_KEY } from "../support/http_app.ts";
import { MediaHost } from "../support/media_host.ts";
import { insertMessages } from "../support/message_rows.ts";
import { type TestNats, testNats } from "../support/nats.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";
import { CHANNEL_ID, queuedMessage } from "../support/send_fixtures.ts";
import { until } from "../support/until.ts";

export const ACCOUNT = { accountSid: `AC${"0".repeat(32)}`, authToken: "token-of-the-media-tests" };

export interface WorkerOptions {
  /** Of the channel. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Hosts that may be called although they are private. @default "127.0.0.1" */
  readonly allow?: string;
  readonly process?: string;
  readonly publish?: (event: PatchbayEvent) => Promise<void>;
}

export class MediaFixture implements AsyncDisposable {
  readonly host = new MediaHost();
  readonly links = new MediaLinks([MASTER_KEY], "http://localhost");
  readonly events: PatchbayEvent[] = [];
  readonly errors: string[] = [];
  /** The clock of all that is started here is ahead of the machine's by this much. */
  aheadMs = 0;
  readonly clock: Clock = { ...systemClock, now: () => Date.now() + this.aheadMs };
  readonly #workers: MediaWorker[] = [];
  #index = 0;

  private constructor(
    readonly nats: TestNats,
    readonly postgres: TestPostgres,
    readonly database: TestDatabase,
    readonly store: NatsMediaStore,
  ) {}

  static async start(): Promise<MediaFixture> {
    const [nats, postgres] = await Promise.all([testNats(), testPostgres()]);
    return new MediaFixture(
      nats,
      postgres,
      await postgres.database(),
      await NatsMediaStore.open({ ...nats, replicas: 1 }),
    );
  }

  get registry(): PostgresMediaRegistry {
    return new PostgresMediaRegistry(this.database.sql);
  }

  channel(settings: Readonly<Record<string, unknown>> = {}): Channel {
    return {
      id: CHANNEL_ID,
      name: "main",
      provider: "twilio",
      enabled: true,
      isDefault: false,
      settings: ChannelSettingsSchema.parse({ baseUrl: this.host.origin, timeoutMs: 2_000, ...settings }),
      credentials: ACCOUNT,
    };
  }

  worker(options: WorkerOptions = {}): MediaWorker {
    const channel = this.channel(options.settings);
    const directory: Directory = { ...EMPTY_DIRECTORY, channels: new Map([[channel.id, channel]]) };
    const worker = new MediaWorker({
      queue: new PostgresMediaQueue(this.database.sql, options.process ?? crypto.randomUUID()),
      store: this.store,
      links: this.links,
      directory: { current: () => directory, onChange: () => () => {} },
      providers: new Map([["twilio", twilio], ["bandwidth", bandwidth]]),
      download: createDownload({
        guard: new PrivateAddressGuard(parseAllowList(options.allow ?? "127.0.0.1").list),
      }),
      sniff: sniffType,
      publish: options.publish ?? ((event) => (this.events.push(event), Promise.resolve())),
      clock: this.clock,
      random: () => 0.5,
      onError: (error, what) => this.errors.push(`${what}: ${error.message}`),
    });
    this.#workers.push(worker);
    return worker;
  }

  /** A contact's message with these files, as the pipeline stores it. */
  async message(...urls: string[]): Promise<{ readonly id: string; readonly media: readonly string[] }> {
    const { sql } = this.database;
    const media = urls.map((url) => ({
      id: newId("media", this.clock.now(), fillRandom),
      url,
      state: "pending",
    }));
    const row: MessageRow = queuedMessage(++this.#index, {
      id: newId("message", this.clock.now(), fillRandom),
      direction: "inbound",
      status: "received",
      media: media as MessageRow["media"],
      extension_id: "ext_alice",
      created_ms: this.clock.now(),
    });
    await insertMessages(sql, [row]);
    for (const { id, url } of media) {
      await sql`insert into media (id, message_id, channel_id, state, source_url, created_ms, due_ms)
        values (${id}, ${row.id}, ${CHANNEL_ID}, 'pending', ${url}, ${row.created_ms}, ${row.created_ms})`;
    }
    for (const worker of this.#workers) worker.nudge();
    return { id: row.id, media: media.map(({ id }) => id) };
  }

  // deno-lint-ignore no-explicit-any
  async row(mediaId: string): Promise<any> {
    const [row] = await this.database.sql`select * from media where id = ${mediaId}`;
    return row;
  }

  /** Its files as the message has them. */
  // deno-lint-ignore no-explicit-any
  async mediaOf(messageId: string): Promise<any[]> {
    const [row] = await this.database.sql`select media from messages where id = ${messageId}`;
    return row!.media;
  }

  /** Waits until the file has come to `state` and it was told. */
  async settled(mediaId: string, state: string): Promise<Record<string, unknown>> {
    return await until(`${mediaId} is ${state}; errors: ${this.errors.join("; ")}`, async () => {
      const row = await this.row(mediaId);
      return row.state === state && row.told && row.claim === null ? row : null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
    await this.postgres[Symbol.asyncDispose]();
    await this.nats[Symbol.asyncDispose]();
  }
}
