/**
 * Connections to PostgreSQL: postgres.js for the hot paths' fixed statements, Kysely over it for the rest.
 *
 * @module
 */
import { Kysely } from "kysely";
import postgres from "postgres";
import { ARRAY_TYPES } from "./array_types.ts";
import { poolDialect } from "./kysely_dialect.ts";
import type { Schema } from "./schema.ts";
import { wholeLoss, WRITTEN_AT_ONCE } from "./whole_loss.ts";

/** A pool of connections; int8 columns come as numbers. */
export type Sql = postgres.Sql<{ bigint: number }>;

/** A transaction on one of its connections. */
export type SqlTransaction = postgres.TransactionSql<{ bigint: number }>;

/** The database as Kysely sees it. */
export type Database = Kysely<Schema>;

export interface ConnectOptions {
  /** Connections at most. */
  readonly max: number;
  /** Shown by the server in `pg_stat_activity`. */
  readonly applicationName: string;
  /** A statement that runs longer is ended by the server, ms. @default {30_000} */
  readonly statementTimeoutMs?: number;
  /** A transaction left open and idle for longer is ended by the server, ms. @default {5_000} */
  readonly idleInTransactionTimeoutMs?: number;
  /**
   * Reads tables by their indexes only. For statements on a few rows by key: their plans are made once, on whatever
   * the tables held then, and an empty table looks cheap to read whole. @default {false}
   */
  readonly indexesOnly?: boolean;
  /** For one try to connect, seconds. @default {5} */
  readonly connectTimeoutSeconds?: number;
}

/**
 * Opens a pool; connections are made when they are needed. A lost one is made anew, with pauses of at most a second,
 * by the next query.
 */
export function connectDatabase(url: string, options: ConnectOptions): Sql {
  return postgres(url, {
    max: options.max,
    connect_timeout: options.connectTimeoutSeconds ?? 5,
    // All types used here are built in; asking for the others costs a round trip for each connection.
    fetch_types: false,
    backoff: (tries) => Math.min(0.05 * 2 ** tries, 1),
    onnotice: () => {},
    ...wholeLoss(),
    connection: {
      ...WRITTEN_AT_ONCE,
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutMs ?? 30_000,
      // A paused process must not hold its locks for long.
      idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 5_000,
      ...(options.indexesOnly === true ? { enable_seqscan: "off", enable_bitmapscan: "off" } : {}),
    },
    types: {
      ...ARRAY_TYPES,
      // Everything stored as int8 (milliseconds, sequences, counters) stays far below 2^53.
      bigint: {
        to: 20,
        from: [20],
        serialize: (value: number) => String(value),
        parse: (text: string) => Number(text),
      },
    },
  });
}

/** Kysely over an open pool. Its `destroy()` ends the pool, so end the pool instead. */
export function overKysely(sql: Sql): Database {
  return new Kysely<Schema>({ dialect: poolDialect(sql) });
}
