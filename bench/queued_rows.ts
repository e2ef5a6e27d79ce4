/**
 * Messages that wait to be sent, written straight into the database: a million of them over the API would take longer
 * than what is to be measured. Rows like those that the router writes, without the conversations around them.
 *
 * @module
 */
import type { Sql } from "../adapters/postgres/database.ts";
import { conversationId } from "../core/ids.ts";
import { MESSAGE_COLUMNS, type MessageRow } from "../core/message.ts";
import { CONVERSATIONS } from "./contacts.ts";
import { contactNumber } from "./simulator/numbers.ts";

export interface QueuedRows {
  readonly channelId: string;
  readonly number: { readonly id: string; readonly number: string };
  readonly count: number;
  /** The first one's place in ids and positions: messages made in the same millisecond need ranges apart. */
  readonly first: number;
  readonly nowMs: number;
}

const BATCH_ROWS = 5_000;
const COLUMNS = MESSAGE_COLUMNS.join(", ");
const INSERT = `insert into messages (${COLUMNS})
  select ${COLUMNS} from json_populate_recordset(null::messages, $1::text::json)`;

/** Writes them, spread over all conversations. */
export async function insertQueued(sql: Sql, rows: QueuedRows): Promise<void> {
  const conversations = Array.from(
    { length: CONVERSATIONS },
    (_, index) => conversationId(rows.number.number, contactNumber(index)),
  );
  for (let from = 0; from < rows.count; from += BATCH_ROWS) {
    const length = Math.min(BATCH_ROWS, rows.count - from);
    const batch = Array.from(
      { length },
      (_, index) => queuedRow(rows, rows.first + from + index, conversations),
    );
    await sql.unsafe(INSERT, [JSON.stringify(batch)]);
  }
  await sql.unsafe("analyze messages");
}

function queuedRow(
  { channelId, number, nowMs }: QueuedRows,
  index: number,
  conversations: readonly string[],
): MessageRow {
  const conversation = index % CONVERSATIONS;
  return {
    id: `msg_${nowMs.toString(32).padStart(10, "0")}${index.toString(32).padStart(16, "0")}`,
    conversation_id: conversations[conversation]!,
    position: Math.floor(index / CONVERSATIONS) + 1,
    session_id: null,
    channel_id: channelId,
    number_id: number.id,
    number: number.number,
    contact: contactNumber(conversation),
    direction: "outbound",
    status: "queued",
    priority: 1,
    text: `#${index} your order is on its way`,
    encoding: "gsm7",
    segments: 1,
    media: null,
    author: null,
    extension_id: null,
    queue_id: null,
    platform_id: null,
    provider_id: null,
    attempts: 0,
    uncertain: false,
    error: null,
    note: null,
    history: [{ status: "queued", at: new Date(nowMs).toISOString() }],
    not_before_ms: null,
    expires_ms: null,
    created_ms: nowMs,
    updated_ms: nowMs,
  };
}
