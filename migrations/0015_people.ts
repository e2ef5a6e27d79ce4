/**
 * What people need beside the sessions: an index of all messages by word, apart from the messages themselves, so that
 * writing one costs nothing more; and the texts that administrators write for agents.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql`select from pg_collation where collname = 'und-x-icu'`.execute(db);
  // Which characters are letters must not depend on the cluster's locale: under C only those of ASCII are.
  const collation = rows.length > 0 ? `collate "und-x-icu"` : "";
  for (const statement of statements(collation)) await sql.raw(statement).execute(db);
}

/** What is no letter and no digit of ASCII, as a literal of SQL. */
const PUNCTUATION = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
  .filter((character) => !/[0-9A-Za-z]/.test(character)).join("");

/** Accents, and the points of Hebrew and Arabic that most people leave out. */
const MARKS = String.raw`\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670`;

const statements = (collation: string) => [
  // Small letters without accents, words apart by blanks. Texts of ASCII take a path that is ten times faster.
  `create function archive_fold(text text) returns text language sql immutable parallel safe as $$
     select case when octet_length(text) = char_length(text)
       then lower(translate(text, '${PUNCTUATION.replaceAll("'", "''")}', '${
    " ".repeat(PUNCTUATION.length)
  }'))
       else regexp_replace(
         regexp_replace(lower(normalize(text, NFKD) ${collation}), '[${MARKS}]+', '', 'g'),
         '[^[:alnum:]]+', ' ', 'g')
     end
   $$`,
  `create function archive_words(text text) returns tsvector language sql immutable parallel safe as $$
     select to_tsvector('simple', archive_fold(text))
   $$`,
  // Tables archive_words_<from_ms> of some 200,000 messages each; one is made when the one before is full.
  `create table archive_segments (from_ms bigint primary key, rows bigint not null)`,
  `create table archive_state (id boolean primary key default true check (id), indexed_ms bigint not null)`,
  `insert into archive_state (indexed_ms) values (0)`,

  `create table canned_texts (
     id text collate "C" primary key,
     queue_id text collate "C" references queues (id) on delete cascade,
     label text not null,
     language text not null,
     text text not null,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `create unique index canned_texts_label on canned_texts (coalesce(queue_id, ''), label, language)`,
  `alter table extensions add column canned_only boolean not null default false`,
];
