/**
 * Rows of `messages` for tests: written as the routing stage writes them, and read back.
 *
 * @module
 */
import type { Sql } from "../../adapters/postgres/database.ts";
import { MESSAGE_COLUMNS, type MessageRow } from "../../core/message.ts";

export async function insertMessages(sql: Sql, rows: readonly MessageRow[]): Promise<void> {
  const columns = MESSAGE_COLUMNS.join(", ");
  await sql.unsafe(
    `insert into messages (${columns}) select ${columns} from json_populate_recordset(null::messages, $1::text::json)`,
    [JSON.stringify(rows)],
  );
}

export async function readMessage(sql: Sql, id: string): Promise<MessageRow> {
  const rows = await sql.unsafe<(MessageRow & Record<string, unknown>)[]>(
    "select * from messages where id = $1",
    [id],
  );
  if (rows[0] === undefined) throw new Error(`there is no message ${id}`);
  return rows[0];
}

/** Sums over all shards and hours. */
export async function readCounts(
  sql: Sql,
): Promise<Record<"sent" | "delivered" | "failed" | "segments_out", number>> {
  const [row] =
    await sql`select coalesce(sum(sent), 0)::int as sent, coalesce(sum(delivered), 0)::int as delivered,
    coalesce(sum(failed), 0)::int as failed, coalesce(sum(segments_out), 0)::int as segments_out from statistics`;
  return row as Record<"sent" | "delivered" | "failed" | "segments_out", number>;
}
