/**
 * The pipeline that people build instead, running: Redis, PostgreSQL (the same embedded one, with the same settings,
 * as ours), Express and the worker.
 *
 * @module
 */
import { join } from "node:path";
import { type Child, startChild } from "../../adapters/embedded/child.ts";
import { freePort } from "../../adapters/embedded/free_port.ts";
import { postgresPlace, removeDataFolder } from "../../adapters/embedded/postgres_place.ts";
import { type PostgresServer, startPostgres } from "../../adapters/embedded/postgres_server.ts";
import { connectDatabase, type Sql } from "../../adapters/postgres/database.ts";
import { untilWritten } from "../disk.ts";
import type { Watched } from "../process_usage.ts";
import { TWILIO_DEFAULT_ACCOUNT } from "../simulator/twilio_account.ts";
import { endChild, stoppedAtLast, untilReady } from "../system_under_test.ts";
import { PIPELINE_FOLDER } from "./programs.ts";
import { listenToRedis, type PeerListener } from "./redis_listener.ts";

/** How often Redis's log of changes is fsynced; everysec is what BullMQ's guide recommends. */
export type RedisFsync = "everysec" | "always";

export interface PipelineOptions {
  readonly fsync: RedisFsync;
  readonly say: (text: string) => void;
}

export interface Pipeline {
  readonly webhookUrl: string;
  readonly watched: readonly Watched[];
  /** Starts the worker; without it messages are accepted and wait. */
  startWorker(): Promise<Watched>;
  listen(): Promise<PeerListener>;
  /** Rows of messages. */
  stored(): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the worker publishes to, see pipeline/settings.js. */
const EVENTS = "events";
const PASSWORD = "peer-0123456789abcdef";
/** Of the worker: 50 is what BullMQ's guide shows for jobs that wait for a database. */
const CONCURRENCY = "50";

/** Starts it without the worker. */
export async function startPipeline({ fsync, say }: PipelineOptions): Promise<Pipeline> {
  await untilWritten();
  const folder = await Deno.makeTempDir({ prefix: "patchbay-bench-peer-" });
  await Deno.chmod(folder, 0o755);
  const children: Child[] = [];
  let database: PostgresServer | null = null;
  let sql: Sql | null = null;
  const stop = stoppedAtLast(async () => {
    for (const child of children.toReversed()) await endChild(child);
    await sql?.end({ timeout: 2 });
    await database?.stop();
    await removeDataFolder(folder);
  });
  try {
    const { port: redisPort, child: redis } = await startRedis(folder, fsync);
    children.push(redis);
    const postgres = database = await startPostgres({
      folder: postgresPlace(folder, say),
      password: PASSWORD,
      logFile: join(folder, "postgres.log"),
      say,
    });
    sql = connectDatabase(postgres.databaseUrl, { max: 1, applicationName: "patchbay bench" });
    const queries = sql;
    const startNode = async (script: string): Promise<{ url: string; pid: number }> => {
      const port = freePort();
      const logFile = join(folder, `${script}.log`);
      const child = await startChild({
        command: "node",
        args: [script],
        cwd: PIPELINE_FOLDER,
        env: {
          NODE_ENV: "production",
          PORT: String(port),
          REDIS_URL: `redis://127.0.0.1:${redisPort}`,
          DATABASE_URL: postgres.databaseUrl,
          TWILIO_AUTH_TOKEN: TWILIO_DEFAULT_ACCOUNT.authToken,
          CONCURRENCY,
        },
        logFile,
        deathSignal: "SIGINT",
      });
      children.push(child);
      const url = `http://127.0.0.1:${port}`;
      await untilReady(`${url}/readyz`, child, logFile);
      return { url, pid: child.pid };
    };
    const web = await startNode("web.js");
    return {
      webhookUrl: `${web.url}/webhooks/twilio`,
      watched: [
        { name: "Express", pid: web.pid, tree: false },
        { name: "Redis", pid: redis.pid, tree: false },
        { name: "PostgreSQL", pid: postgres.pid, tree: true },
        { name: "bench", pid: Deno.pid, tree: false },
      ],
      startWorker: async () => ({ name: "worker", pid: (await startNode("worker.js")).pid, tree: false }),
      listen: () => listenToRedis(redisPort, EVENTS),
      stored: async () => (await queries<{ count: number }[]>`select count(*) from messages`)[0]!.count,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startRedis(folder: string, fsync: RedisFsync): Promise<{ port: number; child: Child }> {
  const port = freePort();
  const logFile = join(folder, "redis.log");
  const settings = {
    port,
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "yes",
    appendfsync: fsync,
    "maxmemory-policy": "noeviction",
  };
  const child = await startChild({
    command: "redis-server",
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    cwd: folder,
    logFile,
    deathSignal: "SIGTERM",
  });
  await untilListening(port, child);
  return { port, child };
}

const LISTENING_MS_MAX = 20_000;

async function untilListening(port: number, child: Child): Promise<void> {
  const endMs = performance.now() + LISTENING_MS_MAX;
  while (performance.now() < endMs && child.running) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error("redis-server did not start");
}
