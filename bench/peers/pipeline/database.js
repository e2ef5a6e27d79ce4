/** The tables, and how one message is written: in one transaction, safe to repeat. */
import pg from "pg";
import { databaseUrl } from "./settings.js";

const TABLES = `
  create table if not exists sessions (
    id bigint generated always as identity primary key,
    number text not null,
    contact text not null,
    state text not null default 'open',
    opened_at timestamptz not null default now(),
    last_activity_at timestamptz not null default now()
  );
  create unique index if not exists sessions_open on sessions (number, contact) where state = 'open';
  create table if not exists messages (
    id bigint generated always as identity primary key,
    session_id bigint not null references sessions (id),
    provider_id text not null unique,
    direction text not null,
    status text not null,
    text text not null,
    created_at timestamptz not null default now()
  );
  create index if not exists messages_session on messages (session_id, id);
`;

// Named, so that node-postgres prepares them once for each connection.
const SESSION = {
  name: "session",
  text: `insert into sessions (number, contact) values ($1, $2)
    on conflict (number, contact) where state = 'open' do update set last_activity_at = now()
    returning id`,
};
const MESSAGE = {
  name: "message",
  text: `insert into messages (session_id, provider_id, direction, status, text)
    values ($1, $2, 'inbound', 'received', $3)
    on conflict (provider_id) do nothing returning id`,
};

/** @param connections at most */
export async function openDatabase(connections) {
  const pool = new pg.Pool({ connectionString: databaseUrl(), max: connections });
  pool.on("error", (error) => console.error(error.message));
  await pool.query(TABLES);
  return {
    /** The ids of session and message; null when the message was there. */
    async store({ sid, from, to, text }) {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const session = await client.query({ ...SESSION, values: [to, from] });
        const sessionId = session.rows[0].id;
        const message = await client.query({ ...MESSAGE, values: [sessionId, sid, text] });
        await client.query("COMMIT");
        return message.rows.length === 0 ? null : { sessionId, messageId: message.rows[0].id };
      } catch (error) {
        await client.query("ROLLBACK");
        throw error;
      } finally {
        client.release();
      }
    },
    close: () => pool.end(),
  };
}
