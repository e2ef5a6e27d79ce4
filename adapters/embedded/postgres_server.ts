/**
 * The embedded PostgreSQL: a real one, with fsync on, loopback only, one user with a password.
 *
 * @module
 */
import { join, resolve } from "node:path";
import postgres from "postgres";
import type { Child } from "./child.ts";
import { makeFolder } from "./data_folder.ts";
import { stopLeftovers } from "./leftovers.ts";
import { DATABASE_USER, ensureCluster, writeSettings } from "./postgres_cluster.ts";
import { postgresPrograms } from "./postgres_programs.ts";
import { mayEnter, postgresUser } from "./postgres_user.ts";
import { type RunningServer, startServer } from "./server.ts";
import { EmbeddedStartError, reasonOf } from "./start_error.ts";

export interface PostgresOptions {
  /** Holds the cluster and its settings. The caller must be the only one to use it. */
  readonly folder: string;
  /** Of the user `patchbay`; the one that the cluster was made with. */
  readonly password: string;
  /** @default any free one */
  readonly port?: number | undefined;
  /** @default `<folder>/postgres.log` */
  readonly logFile?: string | undefined;
  readonly say?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PostgresServer extends RunningServer {
  /** With user and password. */
  readonly databaseUrl: string;
}

const DATABASE = "patchbay";
const WRONG_PASSWORD = "28P01";
const NO_SUCH_DATABASE = "3D000";
const DUPLICATE_DATABASE = "42P04";

/** Whether the postmaster says in its own file that it takes connections: its eighth line, as pg_ctl reads it. */
function postmasterReady(cluster: string, child: Child): boolean {
  try {
    const lines = Deno.readTextFileSync(join(cluster, "postmaster.pid")).split("\n");
    return Number(lines[0]) === child.pid && lines[7]?.trim() === "ready";
  } catch {
    return false;
  }
}

/** Runs one statement on one database, with a connection of its own. */
async function runOnce(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {}, fetch_types: false });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError ? error.code : undefined;
}

/** A first connection, which also makes the database if it is not there. */
async function ensureDatabase(urlOf: (database: string) => string): Promise<void> {
  try {
    await runOnce(urlOf(DATABASE), "select 1");
    return;
  } catch (error) {
    if (codeOf(error) !== NO_SUCH_DATABASE) throw error;
  }
  try {
    await runOnce(urlOf("postgres"), `create database ${DATABASE}`);
  } catch (error) {
    if (codeOf(error) !== DUPLICATE_DATABASE) throw error;
  }
}

/**
 * Starts PostgreSQL on the cluster in `folder`, made if it is not there, and waits until it takes
 * connections to the database `patchbay`.
 *
 * @throws EmbeddedStartError when it cannot be made or started, or when the password is not the cluster's
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { password, signal, say = () => {} } = options;
  makeFolder(resolve(options.folder), 0o711);
  const folder = await Deno.realPath(options.folder);
  const runAs = postgresUser(join(folder, "cluster"));
  if (runAs !== undefined && !mayEnter(folder, runAs)) {
    throw new EmbeddedStartError(
      `PostgreSQL does not run as root, and its user ${runAs.uid} cannot get to ${folder}.`,
    );
  }
  const programs = postgresPrograms(runAs, say);
  await stopLeftovers(folder, ["postgres", "initdb"]);
  const cluster = await ensureCluster({ folder, password, programs, runAs, signal });
  // No process works here any more. What a killed one left would stop the start if its number is in use again.
  await Deno.remove(join(cluster, "postmaster.pid")).catch(() => {});
  const settings = join(folder, "postgresql.conf");
  const server = await startServer({
    name: "PostgreSQL",
    port: options.port,
    command: (port) => {
      writeSettings(settings, port);
      return {
        command: programs.postgres,
        args: ["-D", cluster, `--config-file=${settings}`],
        cwd: cluster,
        logFile: options.logFile ?? join(folder, "postgres.log"),
        runAs,
        deathSignal: "SIGINT",
      };
    },
    ready: (child) => Promise.resolve(postmasterReady(cluster, child)),
    // Fast (ends transactions), then immediate (recovers at the next start).
    stopSteps: [{ signal: "SIGINT", waitMs: 10_000 }, { signal: "SIGQUIT", waitMs: 3_000 }],
    killSignal: "SIGQUIT",
    say,
    signal,
  });
  const urlOf = (database: string) =>
    `postgres://${DATABASE_USER}:${password}@127.0.0.1:${server.port}/${database}`;
  try {
    await ensureDatabase(urlOf);
  } catch (error) {
    await server.stop();
    throw new EmbeddedStartError(
      codeOf(error) === WRONG_PASSWORD
        ? `The database in ${cluster} does not take the password of secrets.json: one of the two is another folder's.`
        : `The database in ${cluster} cannot be used: ${reasonOf(error)}`,
    );
  }
  return { ...server, databaseUrl: urlOf(DATABASE) };
}
