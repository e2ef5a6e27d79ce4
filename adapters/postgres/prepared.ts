/**
 * The pipeline's statements: prepared once for each connection.
 *
 * @module
 */
import type postgres from "postgres";
import type { Sql } from "./database.ts";

type Parameters = postgres.ParameterOrJSON<never>[];

/**
 * Runs `statement` and gives its rows.
 *
 * Then it empties the query. To each of its queries postgres.js 3.4 assigns two functions, and V8 makes functions that
 * are assigned to a property in the old generation, where they, the query and all that it refers to stay until the next
 * full collection: every commit's parameters, some 4 KB a message. Collections of that kind stop the process for 20 to
 * 200 ms.
 */
export async function prepared<Row>(sql: Sql, statement: string, parameters: Parameters): Promise<Row[]> {
  const query = sql.unsafe<(Row & Record<string, unknown>)[]>(statement, parameters, { prepare: true });
  try {
    return (await query).splice(0);
  } finally {
    Object.assign(query, { args: [], parameters: [] });
  }
}

/** A parameter of a statement that takes texts alone. */
export type TextParameter = string | number | readonly unknown[];

/** As the texts that are sent; lists as JSON. */
export function asTexts(parameters: readonly TextParameter[]): string[] {
  return parameters.map((value) => typeof value === "object" ? JSON.stringify(value) : String(value));
}
