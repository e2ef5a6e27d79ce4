/**
 * The dispatcher's rows in PostgreSQL: loaded once, then written row by row with the cursor, in one statement.
 *
 * @module
 */
import type { SessionFact } from "../../core/dispatch/entry.ts";
import type {
  DispatchAgentRow,
  DispatchQueueRow,
  DispatchSessionRow,
  DispatchState,
} from "../../core/dispatch/records.ts";
import { sessionFact } from "../../core/dispatch/session_fact.ts";
import type { DispatchCommit, DispatchStore } from "../../core/ports/dispatch_store.ts";
import type { SessionRow } from "../../core/session.ts";
import type { Sql } from "./database.ts";
import { prepared } from "./prepared.ts";
import { publishedJson, publishedRows } from "./published_rows.ts";

const SESSION_COLUMNS = [
  "number",
  "contact",
  "version",
  "state",
  "queue_id",
  "extension_id",
  "offered_to",
  "offer_until_ms",
  "opened_ms",
  "waiting_since_ms",
  "priority",
  "skills",
  "language",
  "sticky_extension_id",
  "declined_by",
  "wrap_until_ms",
  "unanswered_since_ms",
  "pending",
];
const AGENT_COLUMNS = [
  "presence",
  "reason",
  "set_by",
  "set_ms",
  "shown",
  "shown_since_ms",
  "members",
  "lost_ms",
  "gone",
  "idle_since_ms",
  "turn",
];
const excluded = (columns: readonly string[]) =>
  columns.map((name) => `${name} = excluded.${name}`).join(", ");

/** The fence locks the partition's row, if it still has our epoch; every write looks at `held`. */
const COMMIT = `
with held as materialized (
  select partition from partitions where kind = 'dispatch' and partition = $1::text::int and epoch = $2::text::bigint
  for update
), moved as (
  update partitions p set cursor = $3::text::bigint, cursor_stored = $4::text from held h where p.kind = 'dispatch' and p.partition = h.partition
), session_rows as (
  insert into dispatch_sessions
  select r.* from held, json_populate_recordset(null::dispatch_sessions, $5::text::json) as r
  on conflict (id) do update set ${excluded(SESSION_COLUMNS)}
), forgotten_sessions as (
  delete from dispatch_sessions d using held
  where d.id in (select value from json_array_elements_text($6::text::json))
), agent_rows as (
  insert into dispatch_agents
  select r.* from held, json_populate_recordset(null::dispatch_agents, $7::text::json) as r
  on conflict (extension_id) do update set ${excluded(AGENT_COLUMNS)}
), queue_rows as (
  insert into dispatch_queues
  select r.* from held, json_populate_recordset(null::dispatch_queues, $8::text::json) as r
  on conflict (queue_id) do update set ${excluded(["drain_ms", "drain_since_ms"])}
), outbox_rows as (
  insert into outbox (kind, partition, sequence, payload)
  select 'dispatch', o.partition, o.sequence, o.payload
  from held, json_to_recordset($9::text::json) as o (partition int, sequence bigint, payload json)
), dead_letter_rows as (
  insert into dead_letters (id, at_ms, kind, stream, partition, sequence, reason, payload)
  select d.id, d.at_ms, d.kind, d.stream, d.partition, d.sequence, d.reason, d.payload
  from held, json_to_recordset($10::text::json) as d (id text, at_ms bigint, kind text, stream text, partition int,
    sequence bigint, reason text, payload text)
), forgotten as (
  delete from outbox where ctid = any (array(
    ${publishedRows("'dispatch'", "$11")}
    where b.partition in (select partition from held)))
)
select count(*)::int as held from held`;

/**
 * Open sessions that people see and the dispatcher does not know like that, then those that it knows and that are over.
 * $1: at most so many of each.
 */
const MISSED = `
select s.*, (c.state->>'unansweredSinceMs')::bigint as unanswered_since_ms from sessions s
join conversations c on c.id = s.conversation_id left join dispatch_sessions d on d.id = s.id
where s.state <> 'closed' and s.state <> 'platform' and (s.queue_id is not null or s.extension_id is not null)
  and (d.version is null or d.version < s.version)
order by s.id limit $1::text::int`;
const OVER = `
select d.*, s.version as true_version from dispatch_sessions d left join sessions s on s.id = d.id
where s.id is null or ((s.state = 'closed' or s.state = 'platform') and d.version < s.version)
order by d.id limit $1::text::int`;

export class PostgresDispatchStore implements DispatchStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async load(): Promise<DispatchState> {
    const [sessions, agents, queues] = await Promise.all([
      this.#sql<DispatchSessionRow[]>`select * from dispatch_sessions`,
      this.#sql<DispatchAgentRow[]>`select * from dispatch_agents`,
      this.#sql<DispatchQueueRow[]>`select * from dispatch_queues`,
    ]);
    return { sessions, agents, queues };
  }

  async commit(commit: DispatchCommit): Promise<"committed" | "fenced"> {
    const { changes, outbox } = commit;
    const [row] = await prepared<{ held: number }>(this.#sql, COMMIT, [
      String(commit.partition),
      String(commit.epoch),
      String(commit.cursor),
      commit.stored,
      JSON.stringify(changes.sessions),
      JSON.stringify(changes.forgotten),
      JSON.stringify(changes.agents),
      JSON.stringify(changes.queues),
      JSON.stringify(outbox === null ? [] : [outbox]),
      JSON.stringify(commit.deadLetters),
      publishedJson(commit.published),
    ]);
    return row?.held === 1 ? "committed" : "fenced";
  }

  async findMissed(now: number, max: number): Promise<SessionFact[]> {
    const [missed, over] = await Promise.all([
      prepared<SessionRow & { unanswered_since_ms: number | null }>(this.#sql, MISSED, [String(max)]),
      prepared<DispatchSessionRow & { true_version: number | null }>(this.#sql, OVER, [String(max)]),
    ]);
    return [
      ...missed.map((row) => sessionFact(row, now, row.unanswered_since_ms)),
      ...over.map((row): SessionFact => ({
        kind: "session",
        at: now,
        sessionId: row.id,
        number: row.number,
        contact: row.contact,
        version: row.true_version ?? row.version + 1,
        state: "closed",
        queueId: row.queue_id,
        extensionId: row.extension_id,
        offeredTo: null,
        offerUntilMs: null,
        openedMs: row.opened_ms,
        waitingSinceMs: row.waiting_since_ms,
        priority: row.priority,
      })),
    ];
  }
}
