/**
 * `deno task migrate`: brings the database up to date and ends. `start` does the same.
 *
 * @module
 */
import { startEmbedded } from "../embedded/embedded.ts";
import { connectDatabase } from "../postgres/database.ts";
import { migrateDatabase } from "../postgres/migrate.ts";
import { readConfig } from "../system/config.ts";

const HELP = `Usage: deno task migrate

Brings the database of DATABASE_URL, or the embedded one in PATCHBAY_DATA_DIR, up to date.
"deno task start" does this too.
`;

/** Resolves with the exit code. */
export async function migrate(args: string[]): Promise<number> {
  const read = readConfig({ args, env: Deno.env.toObject() });
  if (read.kind === "help") {
    console.log(HELP);
    return 0;
  }
  if (read.kind === "faults") {
    for (const fault of read.faults) console.error(fault);
    return 2;
  }
  const { config } = read;
  const embedded = config.databaseUrl === null
    ? await startEmbedded({ dataDir: config.dataDir, say: (text) => console.log(text) })
    : null;
  const sql = connectDatabase(config.databaseUrl ?? embedded!.databaseUrl, {
    max: 2,
    applicationName: "patchbay migrate",
  });
  try {
    await sql`select 1`;
    const applied = await migrateDatabase(sql, { partitions: config.partitions, nowMs: Date.now() });
    console.log(applied.length === 0 ? "The database is up to date." : `Applied: ${applied.join(", ")}.`);
    return 0;
  } catch (error) {
    console.error(`Cannot migrate: ${(error as Error).message}`);
    return 1;
  } finally {
    await sql.end({ timeout: 2 });
    await embedded?.stop();
  }
}
