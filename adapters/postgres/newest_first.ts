/**
 * Parts of queries that list newest first. Ids sort by time, so bounds of time are bounds of ids: they use the
 * primary key, and on `messages` they leave out whole partitions.
 *
 * @module
 */
import { ID_PREFIX, idBodyFloor } from "../../core/ids.ts";
import type { Database } from "./database.ts";

/** The smallest id of something of `kind` made at or after `ms`. */
export function idFloor(kind: "session" | "message" | "deadLetter", ms: number): string {
  return `${ID_PREFIX[kind]}_${idBodyFloor(Math.max(0, Math.trunc(ms)))}`;
}

/** Conversations of one contact that are looked at: one for each of our numbers that it met. */
const CONVERSATIONS_MAX = 10_000;

/** The ids of the contact's conversations, of those with `number` if it is given. */
export async function conversationsOf(
  db: Database,
  contact: string,
  number: string | undefined,
): Promise<string[]> {
  let query = db.selectFrom("conversations").select("id").where("contact", "=", contact).limit(
    CONVERSATIONS_MAX,
  );
  if (number !== undefined) query = query.where("number", "=", number);
  return (await query.execute()).map(({ id }) => id);
}
