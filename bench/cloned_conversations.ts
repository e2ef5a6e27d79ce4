/**
 * Conversations by the million, written straight into the database: copies of some that the router made, each for a
 * contact of its own. Opening them over webhooks would take longer than what is to be measured.
 *
 * @module
 */
import type { Sql } from "../adapters/postgres/database.ts";
import { conversationId } from "../core/ids.ts";
import { partitionOf } from "../core/partition.ts";
import { contactNumber } from "./simulator/numbers.ts";

interface Row extends Record<string, unknown> {
  readonly id: string;
  readonly number: string;
  readonly contact: string;
  readonly partition: number;
}

interface Template {
  readonly conversation: Row;
  readonly session: Row;
}

const BATCH_ROWS = 5_000;
const ID_TAIL_CHARS = 16;

/**
 * Makes the conversations of the contacts from `from` up to `to`, the latter not included. Those of the first contacts,
 * one for each of `numbers`, must be there: they are what is copied.
 */
export async function cloneConversations(
  sql: Sql,
  { numbers, from, to }: { readonly numbers: readonly string[]; readonly from: number; readonly to: number },
): Promise<void> {
  const [installation] = await sql<{ partitions: number }[]>`select partitions from installation`;
  const templates = await Promise.all(
    numbers.map((number, index) => templateOf(sql, number, contactNumber(index))),
  );
  for (let start = from; start < to; start += BATCH_ROWS) {
    const copies = Array.from(
      { length: Math.min(BATCH_ROWS, to - start) },
      (_, index) =>
        copyOf(templates[(start + index) % numbers.length]!, start + index, installation!.partitions),
    );
    await insert(sql, "sessions", copies.map(({ session }) => session));
    await insert(sql, "conversations", copies.map(({ conversation }) => conversation));
  }
  await sql.unsafe("analyze conversations, sessions");
}

async function templateOf(sql: Sql, number: string, contact: string): Promise<Template> {
  const [row] = await sql<{ conversation: Row; session: Row }[]>`
    select to_json(c) as conversation, to_json(s) as session from conversations c
    join sessions s on s.id = c.session_id where c.number = ${number} and c.contact = ${contact}`;
  if (row === undefined) throw new Error(`${contact} has no open session with ${number}`);
  return row;
}

/**
 * The same for another contact: ids and number are replaced wherever they stand, in the state too. In no queue: what
 * people have to do is in the dispatcher's memory, which is `bench dispatch`'s subject.
 */
function copyOf({ conversation, session }: Template, index: number, partitions: number): Template {
  const contact = contactNumber(index);
  const partition = partitionOf(contact, partitions);
  const sessionId = session.id.slice(0, -ID_TAIL_CHARS) + index.toString(32).padStart(ID_TAIL_CHARS, "0");
  const replaced = (row: Row): Row => {
    const text = JSON.stringify(row)
      .replaceAll(conversation.id, conversationId(conversation.number, contact))
      .replaceAll(session.id, sessionId)
      .replaceAll(conversation.contact, contact)
      .replaceAll(/"queue_id":"[^"]*"/g, '"queue_id":null');
    return { ...JSON.parse(text) as Row, partition };
  };
  return { conversation: replaced(conversation), session: replaced(session) };
}

async function insert(sql: Sql, table: "sessions" | "conversations", rows: readonly Row[]): Promise<void> {
  await sql.unsafe(
    `insert into ${table} select * from json_populate_recordset(null::${table}, $1::text::json)`,
    [JSON.stringify(rows)],
  );
}
