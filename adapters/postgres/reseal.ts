/**
 * Rotation of the master key: everything that an older key sealed is sealed again under the newest.
 *
 * @module
 */
import { sql } from "kysely";
import type { SecretBox } from "../../core/ports/secret_box.ts";
import type { Database } from "./database.ts";

const SEALED = [
  { table: "channels", id: "id", column: "credentials" },
  { table: "webhook_secrets", id: "hash", column: "secret" },
  { table: "platforms", id: "id", column: "secret" },
] as const;

/**
 * Resolves with how many values were sealed anew; 0 once the older keys can be left out. Run it at start: without
 * older keys it only reads. Answers kept for idempotency keys are left alone, they are forgotten in a day.
 *
 * @throws {SecretBoxError} when a value was sealed under a key that is not given; then nothing is changed.
 */
export async function resealSecrets(db: Database, box: SecretBox): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    // Changes of the configuration wait, so that no value is replaced by an older one.
    await sql`select from directory_version for update`.execute(tx);
    let resealed = 0;
    for (const { table, id, column } of SEALED) {
      const { rows } = await sql<{ id: string; sealed: Uint8Array }>`select ${sql.ref(id)} as id,
        ${sql.ref(column)} as sealed from ${sql.table(table)} where ${sql.ref(column)} is not null`.execute(
        tx,
      );
      for (const row of rows) {
        if (box.isCurrent(row.sealed)) continue;
        const context = `${table}:${row.id}`;
        const sealed = box.seal(box.open(row.sealed, context), context);
        await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${sealed} where ${
          sql.ref(id)
        } = ${row.id}`
          .execute(tx);
        resealed++;
      }
    }
    return resealed;
  });
}
