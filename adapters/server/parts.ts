/**
 * The outside parts a process works with: database, broker and, where none are given, the embedded ones.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { type Embedded, type EmbeddedOptions, startEmbedded } from "../embedded/embedded.ts";
import { ownTls } from "../embedded/nats_server.ts";
import { loadSecrets } from "../embedded/secrets_file.ts";
import { connectNats, hasAtomicBatches, UnsuitableServerError } from "../nats/connection.ts";
import { ensureStreams, Names } from "../nats/topology.ts";
import {
  connectDatabase,
  type ConnectOptions,
  type Database,
  overKysely,
  type Sql,
} from "../postgres/database.ts";
import { migrateDatabase, PartitionsMismatchError } from "../postgres/migrate.ts";
import type { Config } from "../system/config.ts";
import { patiently } from "./patience.ts";

export interface Parts {
  /** For the lanes' and the send workers' statements. */
  readonly hotSql: Sql;
  /** For everything else. */
  readonly sql: Sql;
  readonly db: Database;
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly names: Names;
  readonly atomicBatches: boolean;
  /** Makes the streams that are missing. */
  readonly ensureStreams: () => Promise<void>;
  readonly masterKeys: readonly string[];
  readonly embedded: Embedded | null;
  /** Tells this process from others, also from its own former runs. */
  readonly processId: string;
  close(): Promise<void>;
}

export interface OpenPartsOptions {
  readonly config: Config;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  readonly processId: string;
}

const HOT_CONNECTIONS = 8;
/** A transaction that a paused process left open holds up the take-over of its partitions for so long. */
const HOT_IDLE_MS = 1_000;
const CONNECTIONS = 8;
const DAY_MS = 86_400_000;
/** How long logs and events are kept for replay. */
const RETENTION_MS = 7 * DAY_MS;

/** Errors of the database that waiting cannot cure: a wrong password, an unknown user, role or database. */
const FINAL_DATABASE_CODES = /^(28...|3D000|42501)$/;

/** Starts or finds everything; waits for what is not there yet, and says so. */
export async function openParts(options: OpenPartsOptions): Promise<Parts> {
  const { config, say, signal, processId } = options;
  const stack = new AsyncDisposableStack();
  try {
    const needsEmbedded = config.natsServers === null || config.databaseUrl === null;
    const embedded = needsEmbedded
      ? stack.use(await startEmbedded({ dataDir: config.dataDir, ...embeddedNats(config), say, signal }))
      : null;
    const databaseUrl = config.databaseUrl ?? embedded!.databaseUrl;
    const pool = (name: string, max: number, more: Partial<ConnectOptions> = {}) => {
      const sql = connectDatabase(databaseUrl, { max, applicationName: `patchbay ${name}`, ...more });
      stack.defer(() => sql.end({ timeout: 2 }));
      return sql;
    };
    const sql = pool("api", CONNECTIONS);
    const hotSql = pool("pipeline", HOT_CONNECTIONS, {
      idleInTransactionTimeoutMs: HOT_IDLE_MS,
      indexesOnly: true,
    });
    const [connection] = await Promise.all([
      openBroker(options, embedded),
      openDatabase(options, sql),
    ]);
    stack.defer(() => connection.close());
    const names = new Names(config.namespace);
    const atomicBatches = hasAtomicBatches(connection);
    const streams = {
      names,
      partitions: config.partitions,
      replicas: config.replicas,
      retentionMs: RETENTION_MS,
      atomicBatches,
    };
    const jsm = await patiently({ what: "JetStream", say, signal }, async () => {
      const manager = await jetstreamManager(connection);
      await ensureStreams(manager, streams);
      return manager;
    });
    const owned = stack.move();
    return {
      hotSql,
      sql,
      db: overKysely(sql),
      connection,
      jsm,
      names,
      atomicBatches,
      ensureStreams: () => ensureStreams(jsm, streams),
      masterKeys: config.masterKeys ?? [embedded?.masterKey ?? (await loadSecrets(config.dataDir)).masterKey],
      embedded,
      processId,
      close: () => owned.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync().catch(() => {});
    throw error;
  }
}

async function openDatabase({ config, say, signal }: OpenPartsOptions, sql: Sql): Promise<void> {
  await patiently({
    what: "the database",
    say,
    signal,
    isFinal: (error) =>
      error instanceof PartitionsMismatchError ||
      FINAL_DATABASE_CODES.test(String((error as { code?: unknown }).code)),
  }, async () => {
    await sql`select 1`;
    const applied = await migrateDatabase(sql, { partitions: config.partitions, nowMs: Date.now() });
    if (applied.length > 0) say(`Brought the database up to date: ${applied.join(", ")}.`);
  });
}

function openBroker(
  { config, say, signal }: OpenPartsOptions,
  embedded: Embedded | null,
): Promise<NatsConnection> {
  const settings = config.natsServers === null
    ? { url: embedded!.natsUrl, token: embedded!.natsToken, ...ownTls(embeddedNats(config).natsTls) }
    : {
      url: config.natsServers.join(","),
      ...(config.natsToken === null ? {} : { token: config.natsToken }),
      ...(config.natsCredsFile === null ? {} : { credsFile: config.natsCredsFile }),
      ...(config.natsTlsCaFile === null ? {} : { tlsCaFile: config.natsTlsCaFile }),
    };
  return patiently(
    { what: "the broker", say, signal, isFinal: (error) => error instanceof UnsuitableServerError },
    () => connectNats({ ...settings, name: "patchbay" }),
  );
}

/** How the embedded nats-server listens. */
function embeddedNats(config: Config): Pick<EmbeddedOptions, "natsListen" | "natsTls"> {
  const { natsListen, natsTlsCertFile: certFile, natsTlsKeyFile: keyFile } = config;
  return {
    natsListen: natsListen ?? undefined,
    natsTls: certFile === null || keyFile === null ? undefined : { certFile, keyFile },
  };
}

/** A short name of this run for subjects and consumers. */
export function newProcessId(random: (bytes: Uint8Array) => void): string {
  const bytes = new Uint8Array(16);
  random(bytes);
  return createHash("sha256").update(bytes).digest("hex").slice(0, 12);
}
