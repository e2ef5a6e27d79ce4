import { equal, rejects } from "node:assert/strict";
import { type Kysely, sql as text } from "kysely";
import { connectDatabase, overKysely, type Sql } from "../../adapters/postgres/database.ts";
import type { Schema } from "../../adapters/postgres/schema.ts";
import { inTransaction } from "../../adapters/postgres/transaction.ts";
import { unlessCut } from "../support/inside.ts";
import { testPostgres } from "../support/postgres.ts";
import { pause, until } from "../support/until.ts";

const LOST = { code: /^(57P01|CONNECTION_CLOSED)$/ };

async function endOthers(sql: Sql): Promise<void> {
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and datname = current_database()`;
}

/** The first query after a loss may still be told of it. */
async function untilWell(pool: Sql): Promise<void> {
  // What would be written to a closed connection is written in the next turn.
  await pause(50);
  await until("the pool works", async () => await unlessCut(pool`select 1`) !== null);
}

Deno.test("a transaction whose connection is lost rejects, and nothing is written to the closed connection", async (t) => {
  await using postgres = await testPostgres();
  await using database = await postgres.database({ empty: true });
  const pool = connectDatabase(database.url, { max: 1, applicationName: "test of transactions" });
  const db = overKysely(pool);

  await t.step("in the middle of a statement", async () => {
    for (let n = 0; n < 5; n++) {
      await rejects(inTransaction(pool, (tx) => tx`select pg_terminate_backend(pg_backend_pid())`), LOST);
      await untilWell(pool);
    }
  });

  await t.step("between two statements", async () => {
    for (let n = 0; n < 5; n++) {
      const lost = inTransaction(pool, async (tx) => {
        await tx`select 1`;
        await endOthers(database.sql);
        await tx`select 2`;
      });
      await rejects(lost, LOST);
      await untilWell(pool);
    }
  });

  await t.step("after the last statement, whether it is to be committed or rolled back", async () => {
    for (const end of [() => "done", () => Promise.reject(new Error("changed my mind"))]) {
      const lost = inTransaction(pool, async (tx) => {
        await tx`select 1`;
        await endOthers(database.sql);
        await pause(20);
        return await end();
      });
      await rejects(lost, LOST);
      await untilWell(pool);
    }
  });

  await t.step("under Kysely: in a statement, between two, before the commit", async () => {
    const cases: ((tx: Kysely<Schema>) => Promise<unknown>)[] = [
      (tx) => text`select pg_terminate_backend(pg_backend_pid())`.execute(tx),
      async (tx) => {
        await text`select 1`.execute(tx);
        await endOthers(database.sql);
        await pause(20);
        await text`select 2`.execute(tx);
      },
      async (tx) => {
        await text`select 1`.execute(tx);
        await endOthers(database.sql);
        await pause(20);
      },
    ];
    for (let n = 0; n < 3; n++) {
      for (const run of cases) {
        await rejects(db.transaction().execute(run), LOST);
        await untilWell(pool);
      }
    }
  });

  await t.step("what fails while the connection stands is rolled back as ever", async () => {
    await pool`create table numbers (n int primary key)`;
    const twice = inTransaction(pool, async (tx) => {
      await tx`insert into numbers values (1)`;
      await tx`insert into numbers values (1)`;
    });
    await rejects(twice, { code: "23505" });
    await rejects(
      db.transaction().execute(async (tx) => {
        await text`insert into numbers values (2)`.execute(tx);
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    await inTransaction(pool, (tx) => tx`insert into numbers values (3)`);
    await db.transaction().execute((tx) => text`insert into numbers values (4)`.execute(tx));
    equal((await pool`select string_agg(n::text, ' ' order by n) as all from numbers`)[0]!.all, "3 4");
  });
  await pool.end({ timeout: 1 });
});
