/**
 * Rows of one kind, for any table whose rows are known by an id: the part that all kinds share.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { ChangeableRows } from "../../core/ports/configuration.ts";
import type { Schema } from "./schema.ts";

/** A connection or a transaction. */
export type Executor = Kysely<Schema>;

/** How one kind is kept. `select` reads the rows that `where` and `limit` say, in the order of the ids. */
export interface RowKind<T> {
  select(query: RowQuery): Promise<T[]>;
  insert(row: T): Promise<void>;
  update(row: T): Promise<void>;
  remove(id: string): Promise<void>;
}

export interface RowQuery {
  readonly id?: string;
  /** What people know a row by. */
  readonly key?: string;
  readonly after?: string;
  readonly limit: number;
}

/** The port's view of one kind. */
export function changeableRows<T>(kind: RowKind<T>): ChangeableRows<T> {
  return {
    list: (page) => kind.select(page),
    get: async (id) => (await kind.select({ id, limit: 1 }))[0],
    find: async (key) => (await kind.select({ key, limit: 1 }))[0],
    insert: (row) => kind.insert(row),
    update: (row) => kind.update(row),
    remove: (id) => kind.remove(id),
  };
}
