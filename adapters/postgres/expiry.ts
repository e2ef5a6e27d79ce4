/**
 * Forgetting what is only kept for a time.
 *
 * @module
 */
import { ID_PREFIX, idBodyFloor } from "../../core/ids.ts";
import type { Sql } from "./database.ts";

/**
 * Repeats of a webhook or of an idempotency key are recognised for this long: longer than the logs are kept, so that a
 * whole log can be read again.
 */
export const SEEN_RETENTION_MS = 8 * 86_400_000;
/** A row of a file that is gone is of use only to whoever looks for what became of it. */
const MEDIA_RETENTION_MS = 30 * 86_400_000;
const ROWS_AT_ONCE = 5_000;

/** Removes expired rows in small portions, so that nobody waits for a long delete. */
export async function forgetExpired(sql: Sql, nowMs: number): Promise<void> {
  const before = nowMs - SEEN_RETENTION_MS;
  for (;;) {
    const gone = await sql`
      delete from seen where key in (select key from seen where at_ms < ${before} limit ${ROWS_AT_ONCE})`;
    if (gone.count < ROWS_AT_ONCE) break;
  }
  // Media that were deleted or never came; their messages say so themselves.
  await sql`
    delete from media where id < ${`${ID_PREFIX.media}_${idBodyFloor(nowMs - MEDIA_RETENTION_MS)}`}
      and state in ('deleted', 'failed') and due_ms is null`;
  await sql`delete from webhook_secrets where expires_at < now() - interval '1 day'`;
}
