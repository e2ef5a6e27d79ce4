/**
 * What an index by word costs whoever writes messages: with one on the messages themselves, and without.
 *
 * @module
 */
import type { Sql } from "../adapters/postgres/database.ts";
import type { BenchRow } from "./report.ts";
import { number } from "./targets.ts";
import { writeArchive } from "./archived_rows.ts";

const MESSAGES = 100_000;
const QUICK_MESSAGES = 20_000;
const INDEX = "bench_words";

/** Rows: writing messages into the newest month as it is, then with an index on it. Leaves the messages there. */
export async function measureWriting(
  sql: Sql,
  nowMs: number,
  { quick }: { readonly quick: boolean },
): Promise<BenchRow[]> {
  const messages = quick ? QUICK_MESSAGES : MESSAGES;
  await sql`truncate conversations`;
  const write = async (round: number) => {
    const fromMs = nowMs + round * 60_000;
    const startMs = performance.now();
    await writeArchive(
      sql,
      { messages, fromMs, toMs: fromMs + 50_000, channelId: `ch_${String(round).padStart(26, "0")}` },
      () => {},
    );
    await sql`truncate conversations`;
    return ((performance.now() - startMs) / messages) * 1_000;
  };
  // The first one makes room and compiles.
  await write(0);
  const plain = await write(1);
  await sql.unsafe(`create index ${INDEX} on messages using gin (to_tsvector('simple', text))`);
  const indexed = await write(2);
  await sql.unsafe(`drop index ${INDEX}`);
  return [{
    what: "writing with an index on the messages",
    rateMps: 1_000_000 / indexed,
    more: { "µs a message": indexed, "µs a message without": plain },
    ceiling: {
      what: "the same without an index by word",
      rateMps: 1_000_000 / plain,
      ratio: plain / indexed,
    },
    figure: `${number(indexed)} µs a message instead of ${number(plain)} µs`,
  }];
}
