import { equal, ok } from "node:assert/strict";
import { connectDatabase } from "../../adapters/postgres/database.ts";
import { unlessCut } from "../support/inside.ts";
import { testPostgres } from "../support/postgres.ts";
import { pause } from "../support/until.ts";

/** Below what one try to connect may take: a connection that is broken for good lets nothing through. */
const SETTLED_MS = 4_500;

Deno.test("queries asked at any moment of a connection's loss settle, and get their own answers", async () => {
  await using postgres = await testPostgres();
  await using database = await postgres.database({ empty: true });
  const pool = connectDatabase(database.url, { max: 1, applicationName: "test of losses" });
  const settled = async <T>(query: Promise<T>): Promise<T | null> => {
    const late = Symbol();
    const found = await Promise.race([unlessCut(query), pause(SETTLED_MS).then(() => late)]);
    ok(found !== late, "a query did not settle");
    return found as T | null;
  };
  for (let n = 0; n < 12; n++) {
    const cut = unlessCut(pool`do 'begin perform pg_terminate_backend(pg_backend_pid()); end'`);
    // From the way there to the end of the way back.
    await pause(n / 4);
    let number = 1_000 * n;
    for (let rows = null; rows === null; number++) {
      const asked = number;
      rows = await settled(pool`select ${asked}::int as number`.then((found) => found));
      if (rows !== null) equal(rows[0]!.number, asked);
    }
    await cut;
  }
  await pool.end({ timeout: 1 });
});
