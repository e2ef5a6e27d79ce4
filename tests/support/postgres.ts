/**
 * Databases for tests, on a real PostgreSQL: one server a test process (or the one that
 * `PATCHBAY_TEST_DATABASE_URL` names), one fresh and migrated database for whoever asks.
 *
 * @module
 */
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "../../adapters/embedded/postgres_server.ts";
import { connectDatabase, type Database, overKysely, type Sql } from "../../adapters/postgres/database.ts";
import { migrateDatabase } from "../../adapters/postgres/migrate.ts";

const TEMPLATE = "patchbay_test_template";
/** Template databases cannot be copied while someone is connected, so making it is guarded. */
const LOCK = 4_711;

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly sql: Sql;
  readonly db: Database;
}

export interface TestPostgres extends AsyncDisposable {
  /** Null when the server is not ours. */
  readonly server: PostgresServer | null;
  /** A fresh database; migrated for 8 partitions unless it is to be empty. */
  database(options?: { readonly empty?: boolean; readonly max?: number }): Promise<TestDatabase>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A server for this test file. */
export async function testPostgres(): Promise<TestPostgres> {
  const given = Deno.env.get("PATCHBAY_TEST_DATABASE_URL");
  const folder = given ? null : await Deno.makeTempDir({ prefix: "patchbay-test-pg-" });
  // The server runs as another user when we are root: it has to get through.
  if (folder) await Deno.chmod(folder, 0o755);
  const server = folder
    ? await startPostgres({ folder: join(folder, "pg"), password: "test-password" })
    : null;
  const adminUrl = given ?? server!.databaseUrl;
  const admin = connectDatabase(adminUrl, { max: 1, applicationName: "test admin" });
  return {
    server,
    async database({ empty = false, max = 4 } = {}) {
      const name = `t_${crypto.randomUUID().replaceAll("-", "")}`;
      if (!empty) await ensureTemplate(admin, adminUrl);
      await admin.unsafe(`create database ${name} template ${empty ? "template0" : TEMPLATE}`);
      const url = databaseUrl(adminUrl, name);
      const sql = connectDatabase(url, { max, applicationName: "test" });
      return {
        url,
        sql,
        db: overKysely(sql),
        async [Symbol.asyncDispose]() {
          await sql.end({ timeout: 1 });
          await admin.unsafe(`drop database if exists ${name} with (force)`);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await admin.end({ timeout: 1 });
      await server?.stop();
      if (folder) await Deno.remove(folder, { recursive: true });
    },
  };
}

function databaseUrl(adminUrl: string, name: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function ensureTemplate(admin: Sql, adminUrl: string): Promise<void> {
  await admin`select pg_advisory_lock(${LOCK})`;
  try {
    const [found] = await admin`select from pg_database where datname = ${TEMPLATE}`;
    if (found) return;
    await admin.unsafe(`create database ${TEMPLATE}_making template template0`);
    const pool = connectDatabase(databaseUrl(adminUrl, `${TEMPLATE}_making`), {
      max: 2,
      applicationName: "test",
    });
    await migrateDatabase(pool, { partitions: 8, nowMs: Date.now() });
    await pool.end();
    await admin.unsafe(`alter database ${TEMPLATE}_making rename to ${TEMPLATE}`);
  } finally {
    await admin`select pg_advisory_unlock(${LOCK})`;
  }
}
