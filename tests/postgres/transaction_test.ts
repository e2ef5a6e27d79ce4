import { deepStrictEqual, equal, rejects } from "node:assert/strict";
import { CompiledQuery, type Kysely, sql as text } from "kysely";
import {
  connectDatabase,
  overKysely,
  type Sql,
  type SqlTransaction,
} from "../../adapters/postgres/database.ts";
import type { Schema } from "../../adapters/postgres/schema.ts";
import { inTransaction } from "../../adapters/postgres/transaction.ts";
import { unlessCut } from "../support/inside.ts";
import { testPostgres } from "../support/postgres.ts";
import { pause, until, within } from "../support/until.ts";

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

  await t.step("also when its caller keeps the loss to itself, and asks on, or ends it", async () => {
    const lose = (tx: SqlTransaction) =>
      tx`select pg_terminate_backend(pg_backend_pid())`.then(() => "kept", () => "lost");
    const cases: ((tx: SqlTransaction) => Promise<unknown>)[] = [
      async (tx) => {
        equal(await lose(tx), "lost");
        await rejects(tx`select 1`, LOST);
        await rejects(tx.unsafe("select 1"), LOST);
      },
      lose,
      async (tx) => {
        await lose(tx);
        throw new Error("changed my mind");
      },
    ];
    for (let n = 0; n < 3; n++) {
      for (const run of cases) {
        await rejects(inTransaction(pool, run), LOST);
        await untilWell(pool);
      }
    }
  });

  await t.step("with several statements on their way: none is left without an answer", async () => {
    const run = (ask: (statement: string) => Promise<unknown>) =>
      Promise.all([
        rejects(ask("select pg_terminate_backend(pg_backend_pid()) where $1::int = 1"), LOST),
        rejects(ask("select $1::int + 1"), LOST),
        rejects(ask("select $1::int + 2"), LOST),
      ]);
    await rejects(inTransaction(pool, (tx) => run((statement) => tx.unsafe(statement, [1]))), LOST);
    await untilWell(pool);
    const kysely = db.transaction().execute((tx) =>
      run((statement) => tx.executeQuery(CompiledQuery.raw(statement, [1])))
    );
    await rejects(kysely, LOST);
    await untilWell(pool);
  });

  await t.step("another connection's loss is an error like any other", async () => {
    const other = connectDatabase(database.url, { max: 1, applicationName: "test of transactions" });
    const lost = inTransaction(pool, () => other`select pg_terminate_backend(pg_backend_pid())`);
    await rejects(within("the transaction ends", lost), LOST);
    equal((await pool`select 1 as n`)[0]!.n, 1);
    await other.end({ timeout: 1 });
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

Deno.test("a FATAL answer is the loss of the connection: nothing is asked after it, and nothing ended", async () => {
  const fatal = Object.assign(new Error("terminating connection"), { severity: "FATAL", code: "57P01" });
  const closing = Promise.withResolvers<never>();
  const asked: string[] = [];
  const unsafe = (statement: string) => {
    asked.push(statement);
    return Promise.reject(fatal);
  };
  // As postgres.js does it: what ends `run` ends the transaction with a statement, unless its connection closes before.
  const begin = (_options: string, run: (tx: SqlTransaction) => Promise<unknown>) =>
    Promise.race([
      run(Object.assign(() => {}, { unsafe }) as never).finally(() => asked.push("end")),
      closing.promise,
    ]);
  const lost = inTransaction({ begin } as unknown as Sql, async (tx) => {
    await tx.unsafe("select 1").catch(() => {});
    await rejects(tx.unsafe("select 2"), fatal);
  });
  await pause(10);
  closing.reject(new Error("closed"));
  await rejects(lost, /closed/);
  deepStrictEqual(asked, ["select 1"]);
});
