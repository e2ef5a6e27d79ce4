/**
 * The monthly partitions of `messages`. Their bounds are ids, as ids begin with their time.
 *
 * @module
 */
import { sql } from "kysely";
import { ID_PREFIX, idBodyFloor } from "../../core/ids.ts";
import type { Database } from "./database.ts";

/** Months made ahead: a process that is not restarted for so long, and runs this daily, never lacks one. */
const MONTHS_AHEAD = 2;
/** Any number that no other user of advisory locks in this database has. */
const LOCK = 0x70_61_74_63;
const NAME = /^messages_(\d{4})(\d{2})$/;

/**
 * Makes the partitions up to two months ahead of `nowMs`, without a gap after those that are there. The very
 * first one takes everything before this month. Cheap when there is nothing to do; run it at start and daily.
 * Resolves with the names of those made.
 */
export async function ensureMessagePartitions(db: Database, nowMs: number): Promise<string[]> {
  const current = monthOf(nowMs);
  return await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx);
    const { rows } = await sql<{ name: string }>`select c.relname as name from pg_inherits i
      join pg_class c on c.oid = i.inhrelid where i.inhparent = 'messages'::regclass`.execute(tx);
    const months = rows.flatMap(({ name }) => {
      const match = NAME.exec(name);
      return match ? [Number(match[1]) * 12 + Number(match[2]) - 1] : [];
    });
    const first = months.length === 0;
    const made: string[] = [];
    for (
      let month = first ? current - 1 : Math.max(...months) + 1;
      month <= current + MONTHS_AHEAD;
      month++
    ) {
      const from = first && made.length === 0 ? idFloor(0) : idFloor(startOf(month));
      const name = `messages_${Math.floor(month / 12)}${String((month % 12) + 1).padStart(2, "0")}`;
      await sql`create table ${sql.table(name)} partition of messages
        for values from (${sql.lit(from)}) to (${sql.lit(idFloor(startOf(month + 1)))})
        with (fillfactor = 50)`.execute(tx);
      made.push(name);
    }
    return made;
  });
}

/** Months since the year 0, UTC. */
function monthOf(ms: number): number {
  const date = new Date(ms);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function startOf(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12, 1);
}

function idFloor(ms: number): string {
  return `${ID_PREFIX.message}_${idBodyFloor(ms)}`;
}
