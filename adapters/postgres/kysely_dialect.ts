/**
 * Kysely over a pool of postgres.js, without `sql.reserve()`: with `fetch_types: false` that never resolves on a
 * connection it had to open, and after a connection that could not be made it hands a later one to nobody
 * (postgres.js 3.4.9). Plain queries go to the pool, and a transaction is one `sql.begin()`.
 *
 * @module
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import type postgres from "postgres";
import type { Sql, SqlTransaction } from "./database.ts";
import { inTransaction } from "./transaction.ts";

export function poolDialect(pool: Sql): Dialect {
  return {
    createAdapter: () => new PoolAdapter(),
    createDriver: () => new PoolDriver(pool),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

/** Migrations lock within their transaction: outside of one, two queries may be two sessions'. */
class PoolAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

class PoolDriver implements Driver {
  readonly #pool: Sql;

  constructor(pool: Sql) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  /** Nothing is taken from the pool yet: that happens query by query, or when a transaction begins. */
  acquireConnection(): Promise<PoolConnection> {
    return Promise.resolve(new PoolConnection(this.#pool));
  }

  async beginTransaction(connection: PoolConnection, settings: TransactionSettings): Promise<void> {
    await connection.begin(settings);
  }

  async commitTransaction(connection: PoolConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: PoolConnection): Promise<void> {
    await connection.rollback();
  }

  async releaseConnection(connection: PoolConnection): Promise<void> {
    await connection.rollback();
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}

/** Makes `sql.begin()` roll back. */
const ROLLBACK = new Error("rolled back");

interface Transaction {
  readonly sql: SqlTransaction;
  readonly end: PromiseWithResolvers<void>;
  /** Settles when the transaction has ended; rejects at once when its connection is lost. */
  readonly ended: Promise<unknown>;
}

class PoolConnection implements DatabaseConnection {
  readonly #pool: Sql;
  #transaction: Transaction | null = null;

  constructor(pool: Sql) {
    this.#pool = pool;
  }

  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const options = [isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(Boolean).join(
      " ",
    );
    const end = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<SqlTransaction>();
    const ended = inTransaction(this.#pool, (sql) => {
      opened.resolve(sql);
      return end.promise;
    }, options);
    // Also keeps a loss that nobody waits for yet from counting as unhandled.
    ended.catch(opened.reject);
    this.#transaction = { sql: await opened.promise, end, ended };
  }

  async commit(): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = null;
    transaction?.end.resolve();
    await transaction?.ended;
  }

  /** What made it necessary is on its way to the caller already, so a failure of its own is not told. */
  async rollback(): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = null;
    transaction?.end.reject(ROLLBACK);
    await transaction?.ended.catch(() => {});
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const rows = await (this.#transaction?.sql ?? this.#pool).unsafe(
      sql,
      [...parameters] as postgres.ParameterOrJSON<never>[],
      { prepare: true },
    );
    const changes = /^(INSERT|UPDATE|DELETE|MERGE)$/.test(rows.command);
    return {
      rows: [...rows] as R[],
      ...(changes ? { numAffectedRows: BigInt(rows.count) } : {}),
    };
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming goes through postgres.js itself: sql`…`.cursor()");
  }
}
