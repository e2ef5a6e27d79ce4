/** The runtime's routes over a real database, with a small installation and an ingress that answers as told. */
import { createApp } from "../../adapters/http/app.ts";
import { keyHash } from "../../core/configuration/keys.ts";
import { callRoutes } from "../../adapters/http/runtime/calls.ts";
import { callStatisticsRoutes } from "../../adapters/http/runtime/call_statistics.ts";
import { deadLetterRoutes } from "../../adapters/http/runtime/dead_letters.ts";
import { messageRoutes } from "../../adapters/http/runtime/messages.ts";
import { sessionRoutes } from "../../adapters/http/runtime/sessions.ts";
import { statisticsRoutes } from "../../adapters/http/runtime/statistics.ts";
import type { RouteModule } from "../../adapters/http/deps.ts";
import { PostgresCallStatistics } from "../../adapters/postgres/call_statistics.ts";
import { PostgresDeadLetterStore } from "../../adapters/postgres/dead_letter_store.ts";
import { PostgresMediaRegistry } from "../../adapters/postgres/media_registry.ts";
import { PostgresMessageQueries } from "../../adapters/postgres/message_queries.ts";
import { PostgresSessionQueries } from "../../adapters/postgres/session_queries.ts";
import { PostgresStatisticsQueries } from "../../adapters/postgres/statistics_queries.ts";
import { MediaLinks } from "../../core/media/media_links.ts";
import type { ApiKey, Directory } from "../../core/directory.ts";
import type { CommandEntry, CommandReply, ConversationEntry, ReportEntry } from "../../core/entry.ts";
import { derivedId } from "../../core/ids.ts";
import type { MessageRow } from "../../core/message.ts";
import type {
  CannedRecord,
  ConfigurationReader,
  ConfigurationStore,
} from "../../core/ports/configuration.ts";
import type { DispatchEntry } from "../../core/dispatch/entry.ts";
import type { DispatchLog } from "../../core/ports/dispatch_log.ts";
import type { Ingress } from "../../core/ports/ingress.ts";
import type { SessionRow } from "../../core/session.ts";
import { ALICE, BOB, CHANNEL, DIRECTORY, PLATFORM, TO_QUEUE } from "../routing/directory.ts";
import { FOREIGN_BROKER, MASTER_KEY } from "../support/http_app.ts";
import { fakeProvider } from "../support/fake_provider.ts";
import type { TestDatabase } from "../support/postgres.ts";

export const NOW = Date.UTC(2026, 0, 15, 12, 30);

function apiKey(name: string, fields: Partial<ApiKey>): [string, ApiKey] {
  return [keyHash(name), {
    id: `key_${name}`,
    name,
    role: "administrator",
    extensionId: null,
    platformId: null,
    expiresMs: null,
    ...fields,
  }];
}

/** Everybody's key is their name. */
export const KEYS = new Map([
  apiKey("admin", {}),
  apiKey("supervisor", { role: "supervisor" }),
  apiKey("reader", { role: "read-only" }),
  apiKey("alice", { role: "agent", extensionId: ALICE }),
  apiKey("bob", { role: "agent", extensionId: BOB }),
  apiKey("bot", { role: "platform", platformId: PLATFORM }),
]);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

export class Fixture {
  directory: Directory;
  readonly executed: Omit<CommandEntry, "kind" | "replyTo">[] = [];
  readonly appended: (ConversationEntry | ReportEntry)[] = [];
  /** What the dispatcher was told. */
  readonly told: DispatchEntry[] = [];
  readonly errors: unknown[] = [];
  readonly canned: CannedRecord[] = [];
  /** What the audit log was told of. */
  readonly notes: { actor: string; action: string; kind: string; target: string; after: unknown }[] = [];
  /** What the conversation's owner says. */
  reply: CommandReply | Error = { ok: true };
  readonly #database: TestDatabase;
  readonly app: ReturnType<typeof createApp>;

  constructor(database: TestDatabase, more: readonly RouteModule[] = []) {
    this.#database = database;
    const channel = { ...CHANNEL, provider: fakeProvider.kind };
    this.directory = { ...DIRECTORY, channels: new Map([[channel.id, channel]]), keys: KEYS };
    const { db } = database;
    const sessions = new PostgresSessionQueries(db);
    const messages = new PostgresMessageQueries(db);
    const { ingress, dispatch } = this;
    const media = {
      registry: new PostgresMediaRegistry(database.sql),
      links: new MediaLinks([MASTER_KEY], "http://localhost"),
    };
    this.app = createApp({
      platformBroker: FOREIGN_BROKER,
      namespace: "patchbay",
      version: "0",
      publicUrl: "http://localhost",
      now: () => NOW,
      directory: {
        current: () => this.directory,
        onChange: () => () => {},
        refresh: () => Promise.resolve(),
      },
      configuration: new Proxy({} as ConfigurationStore, {
        get: (_, name) => name === "note" ? this.#note : name === "read" ? this.#read : unused(),
      }),
      providers: new Map([[fakeProvider.kind, fakeProvider]]),
      verifyChannel: unused,
      verifyNumber: unused,
      announceChange: () => {},
      readiness: () => ({ ready: true, checks: {} }),
      metrics: { contentType: "text/plain", metrics: () => Promise.resolve("") },
      onError: (error) => this.errors.push(error),
      modules: [
        sessionRoutes({ ingress, dispatch, sessions, media }),
        callRoutes({ ingress, sessions }),
        callStatisticsRoutes({ statistics: new PostgresCallStatistics(db) }),
        messageRoutes({ ingress, messages, sessions, media }),
        statisticsRoutes({ statistics: new PostgresStatisticsQueries(db) }),
        deadLetterRoutes({ ingress, dispatch, deadLetters: new PostgresDeadLetterStore(db) }),
        ...more,
      ],
    });
  }

  readonly #read = (work: (reader: Pick<ConfigurationReader, "cannedTexts">) => Promise<unknown>) =>
    work({
      cannedTexts: ({ queueId, label }) =>
        Promise.resolve(
          this.canned.filter((row) => row.label === label && (row.queueId ?? queueId) === queueId),
        ),
    });
  readonly #note: ConfigurationStore["note"] = (actor, { action, kind, target, after }) =>
    Promise.resolve(void this.notes.push({ actor, action, kind, target, after }));
  get dispatch(): DispatchLog {
    return {
      tell: (entries) => Promise.resolve(void this.told.push(...entries)),
      ask: (entry) => {
        this.told.push(entry);
        return this.reply instanceof Error ? Promise.reject(this.reply) : Promise.resolve(this.reply);
      },
    };
  }

  get ingress(): Ingress {
    return {
      refusal: () => null,
      append: (entry) => Promise.resolve(void this.appended.push(entry)),
      appendReport: (entry) => Promise.resolve(void this.appended.push(entry)),
      execute: (command) => {
        this.executed.push(command);
        return this.reply instanceof Error ? Promise.reject(this.reply) : Promise.resolve(this.reply);
      },
    };
  }

  async call(
    key: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await this.app.request(path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  get(key: string, path: string): Promise<Answer> {
    return this.call(key, "GET", path);
  }

  post(key: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.call(key, "POST", path, body, headers);
  }

  async addSession(row: SessionRow): Promise<SessionRow> {
    await this.#database.db.insertInto("sessions").values(row).execute();
    const { conversation_id: id, partition, number, contact } = row;
    const open = row.state !== "closed";
    await this.#database.db.insertInto("conversations").values({
      id,
      partition,
      number,
      contact,
      state: {},
      session_id: open ? row.id : null,
      last_activity_ms: row.last_activity_ms,
      idle_ms: open ? row.idle_ms : null,
    }).onConflict((conflict) => conflict.column("id").doNothing()).execute();
    return row;
  }

  async addMessage(row: MessageRow): Promise<MessageRow> {
    await this.#database.db.insertInto("messages").values(row).execute();
    return row;
  }
}

function unused(): never {
  throw new Error("not in these tests");
}

/** The `index`-th session or message, made `index` seconds after an hour before {@link NOW}. */
function at(index: number): number {
  return NOW - 3_600_000 + index * 1_000;
}

export function session(index: number, fields: Partial<SessionRow> = {}): SessionRow {
  const opened = at(index);
  return {
    id: derivedId("session", opened, { partition: 1, sequence: index, entry: 0 }, 0),
    conversation_id: `cnv_${String(index).padStart(26, "0")}`,
    partition: 1,
    channel_id: CHANNEL.id,
    number_id: TO_QUEUE.id,
    number: TO_QUEUE.number,
    contact: `+15550000${String(index).padStart(3, "0")}`,
    state: "waiting",
    extension_id: null,
    queue_id: null,
    platform_id: null,
    opened_ms: opened,
    accepted_ms: null,
    closed_ms: null,
    close_reason: null,
    last_activity_ms: opened,
    idle_ms: opened + 86_400_000,
    history: [{ state: "waiting", at: new Date(opened).toISOString(), by: "contact" }],
    version: 1,
    offered_to: null,
    offer_until_ms: null,
    waiting_since_ms: opened,
    priority: 5,
    skills: null,
    language: null,
    sticky_extension_id: null,
    declined_by: [],
    wrap_until_ms: null,
    tags: [],
    kind: "chat",
    call_id: null,
    ...fields,
  };
}

export function message(index: number, fields: Partial<MessageRow> = {}): MessageRow {
  const created = at(index);
  return {
    id: derivedId("message", created, { partition: 1, sequence: index, entry: 0 }, 1),
    conversation_id: `cnv_${String(index).padStart(26, "0")}`,
    position: 1,
    session_id: null,
    channel_id: CHANNEL.id,
    number_id: TO_QUEUE.id,
    number: TO_QUEUE.number,
    contact: `+15550000${String(index).padStart(3, "0")}`,
    direction: "outbound",
    status: "queued",
    priority: 1,
    text: `text ${index}`,
    encoding: "gsm7",
    segments: 1,
    media: null,
    author: null,
    extension_id: null,
    queue_id: null,
    platform_id: null,
    provider_id: null,
    attempts: 0,
    uncertain: false,
    error: null,
    note: null,
    history: [{ status: "queued", at: new Date(created).toISOString() }],
    not_before_ms: null,
    expires_ms: null,
    created_ms: created,
    updated_ms: created,
    ...fields,
  };
}
