/**
 * Brings a database up to date. Safe to run by several processes at once: they wait for each other.
 *
 * @module
 */
import { sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import * as initial from "../../migrations/0001_initial.ts";
import * as polls from "../../migrations/0004_polls.ts";
import * as uncertain from "../../migrations/0003_uncertain.ts";
import * as messageParts from "../../migrations/0005_message_parts.ts";
import * as media from "../../migrations/0006_media.ts";
import * as unsent from "../../migrations/0007_unsent.ts";
import * as optOuts from "../../migrations/0008_opt_outs.ts";
import * as routingRules from "../../migrations/0009_routing_rules.ts";
import * as cursorStored from "../../migrations/0010_cursor_stored.ts";
import * as sessionLife from "../../migrations/0011_session_life.ts";
import * as inCall from "../../migrations/0014_in_call.ts";
import * as contacts from "../../migrations/0016_contacts.ts";
import * as distribution from "../../migrations/0012_distribution.ts";
import * as closedSessions from "../../migrations/0021_closed_sessions.ts";
import * as people from "../../migrations/0015_people.ts";
import * as platforms from "../../migrations/0013_platforms.ts";
import * as dispatch from "../../migrations/0018_dispatch.ts";
import * as dispatchHolders from "../../migrations/0022_dispatch_holders.ts";
import * as roomInPages from "../../migrations/0023_room_in_pages.ts";
import * as touches from "../../migrations/0024_touches.ts";
import { DISPATCH_PARTITIONS, STATUS_PARTITIONS } from "../../core/partition.ts";
import { SEND_LANES } from "../../core/send/queued_message.ts";
import { type Database, overKysely, type Sql } from "./database.ts";
import { ensureMessagePartitions } from "./message_partitions.ts";

/** By name, in order. Files are named rather than found, so that a compiled program has them too. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001_initial": initial,
  "0004_polls": polls,
  "0003_uncertain": uncertain,
  "0005_message_parts": messageParts,
  "0006_media": media,
  "0007_unsent": unsent,
  "0008_opt_outs": optOuts,
  "0009_routing_rules": routingRules,
  "0010_cursor_stored": cursorStored,
  "0011_session_life": sessionLife,
  "0014_in_call": inCall,
  "0016_contacts": contacts,
  "0012_distribution": distribution,
  "0015_people": people,
  "0021_closed_sessions": closedSessions,
  "0013_platforms": platforms,
  "0018_dispatch": dispatch,
  "0022_dispatch_holders": dispatchHolders,
  "0023_room_in_pages": roomInPages,
  "0024_touches": touches,
};

/** Any number that no other user of advisory locks in this database has. */
const LOCK = 0x70_61_74_64;

export interface MigrateOptions {
  /** `PATCHBAY_PARTITIONS`: fixed when the installation is made. */
  readonly partitions: number;
  readonly nowMs: number;
}

/** The database is of an installation with another count of partitions. */
export class PartitionsMismatchError extends Error {
  override readonly name = "PartitionsMismatchError";

  constructor(stored: number, wanted: number) {
    super(
      `PATCHBAY_PARTITIONS is ${wanted}, but this installation was made with ${stored}: the count cannot be changed ` +
        `later. Set PATCHBAY_PARTITIONS=${stored} or leave it out.`,
    );
  }
}

/**
 * Applies what is missing and makes sure of the rows and partitions that the program expects. Resolves with
 * the names of the migrations applied.
 *
 * @throws {PartitionsMismatchError}
 */
export async function migrateDatabase(pool: Sql, options: MigrateOptions): Promise<string[]> {
  const db = overKysely(pool);
  const results = await db.transaction().execute(async (tx) => {
    // Of the transaction, so that it goes with the commit: the migrator's own lock is the session's, and a pool gives
    // it to one session and takes it back from another.
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx);
    const migrator = new Migrator({
      db: tx,
      provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) },
    });
    const { error, results } = await migrator.migrateToLatest();
    const failed = results?.find((result) => result.status === "Error");
    if (failed) throw new Error(`migration ${failed.migrationName} failed`, { cause: error });
    if (error !== undefined) throw error;
    return results ?? [];
  });
  await ensureInstallation(db, options.partitions);
  await ensureMessagePartitions(db, options.nowMs);
  return results.map((result) => result.migrationName);
}

async function ensureInstallation(db: Database, partitions: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx.insertInto("installation").values({ partitions }).onConflict((c) => c.doNothing()).execute();
    const { partitions: stored } = await tx.selectFrom("installation").select("partitions")
      .executeTakeFirstOrThrow();
    if (stored !== partitions) throw new PartitionsMismatchError(stored, partitions);
    await ensurePartitionRows(tx, "route", partitions);
    await ensurePartitionRows(tx, "status", STATUS_PARTITIONS);
    await ensurePartitionRows(tx, "dispatch", DISPATCH_PARTITIONS);
    await ensurePartitionRows(tx, "send", SEND_LANES);
    await ensurePartitionRows(tx, "singleton", 1);
  });
}

async function ensurePartitionRows(tx: Database, kind: string, count: number): Promise<void> {
  await sql`insert into partitions (kind, partition) select ${kind}, generate_series(0, ${count}::integer - 1)
    on conflict do nothing`.execute(tx);
}
