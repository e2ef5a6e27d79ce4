/**
 * Makes a PostgreSQL cluster and writes its settings.
 *
 * @module
 */
import { join } from "node:path";
import { childEnv, type RunAs } from "./child.ts";
import type { PostgresPrograms } from "./postgres_programs.ts";
import { giveTo } from "./postgres_user.ts";
import { EmbeddedStartError } from "./start_error.ts";

export const DATABASE_USER = "patchbay";

/**
 * What differs from PostgreSQL's defaults. `ALTER SYSTEM` overrides it. What fsync and synchronous_commit
 * promise is the product's promise: they are written here so that nobody has to look up the default.
 *
 * The log gets neither statements nor details: they quote texts and numbers of people.
 */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  // Each process has 16 at most: enough for a dozen of them, which the bench starts.
  max_connections: "250",
  shared_buffers: "128MB",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_logical_replication_workers: "0",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  jit: "off",
  // An open transaction of a paused process would hold up whoever takes its partitions over.
  idle_in_transaction_session_timeout: "1s",
  timezone: "UTC",
  log_timezone: "UTC",
  log_destination: "stderr",
  logging_collector: "off",
  log_checkpoints: "off",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
};

/** Writes the settings to `file`, for `postgres --config-file`. */
export function writeSettings(file: string, port: number): void {
  const lines = Object.entries({ ...SETTINGS, port: String(port) })
    .map(([name, value]) => `${name} = '${value}'`);
  Deno.writeTextFileSync(
    file,
    "# Written at every start. Own settings: ALTER SYSTEM.\n" + lines.join("\n") + "\n",
  );
}

export interface ClusterOptions {
  /** Holds `cluster`, which is made if it is not there. */
  readonly folder: string;
  readonly password: string;
  readonly programs: PostgresPrograms;
  readonly runAs: RunAs | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the cluster unless it is there, and checks that it is of this version. A cluster whose making was
 * interrupted never carries the final name and is made again.
 *
 * @returns the cluster's path
 * @throws EmbeddedStartError when it is another version's or cannot be made
 */
export async function ensureCluster(options: ClusterOptions): Promise<string> {
  const { folder, programs } = options;
  const cluster = join(folder, "cluster");
  const version = await Deno.readTextFile(join(cluster, "PG_VERSION")).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (version === null) {
    await makeCluster(options, cluster);
  } else if (Number.parseInt(version) !== programs.major) {
    throw new EmbeddedStartError(
      `The database in ${cluster} was made by PostgreSQL ${version.trim()}, and this program brings ${programs.major}. ` +
        `Dump it with the former release and load it with this one, or set DATABASE_URL to a server of version ${version.trim()}.`,
    );
  }
  return cluster;
}

async function makeCluster({ folder, password, programs, runAs, signal }: ClusterOptions, cluster: string) {
  const making = join(folder, "cluster.new");
  const passwordFile = join(folder, "password");
  await Deno.remove(making, { recursive: true }).catch(() => {});
  await Deno.remove(passwordFile).catch(() => {});
  try {
    await Deno.mkdir(making, { mode: 0o700 });
    giveTo(making, runAs);
    await Deno.writeTextFile(passwordFile, password, { mode: 0o600, createNew: true });
    giveTo(passwordFile, runAs);
    const output = await new Deno.Command(programs.initdb, {
      args: [
        "-D",
        making,
        `--username=${DATABASE_USER}`,
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
      ],
      cwd: making,
      env: childEnv(),
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      ...(runAs ?? {}),
      ...(signal === undefined ? {} : { signal }),
    }).output();
    signal?.throwIfAborted();
    if (!output.success) {
      const words = new TextDecoder().decode(output.stderr).trim().split("\n").slice(-5).join("\n");
      throw new EmbeddedStartError(`PostgreSQL's initdb failed (exit code ${output.code}):\n${words}`);
    }
    await Deno.rename(making, cluster);
    using parent = await Deno.open(folder, { read: true });
    await parent.sync();
  } finally {
    await Deno.remove(passwordFile).catch(() => {});
  }
}
