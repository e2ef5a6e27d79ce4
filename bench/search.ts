/**
 * `search`: how long it takes to find past messages, and what it costs to make them findable.
 *
 * @module
 */
import { indexNext } from "../adapters/postgres/archive_index.ts";
import { connectDatabase, type Sql } from "../adapters/postgres/database.ts";
import { migrateDatabase } from "../adapters/postgres/migrate.ts";
import type { ApiClient } from "./api_client.ts";
import {
  type Archive,
  archivedContact,
  archivedNumber,
  archivedQueue,
  archivedWord,
  contactsOf,
  OWN_NUMBERS,
  VOCABULARY,
  writeArchive,
} from "./archived_rows.ts";
import { type Bench, type BenchContext, freshSystem } from "./bench_context.ts";
import type { BenchRow } from "./report.ts";
import { Histogram } from "./simulator/histogram.ts";
import { atMost, number, type Target } from "./targets.ts";
import { measureWriting } from "./indexed_writing.ts";

const MESSAGES = 1_000_000;
const DAY_MS = 86_400_000;
const ARCHIVE_DAYS = 400;
const WINDOW_DAYS = 30;
const SEARCHES = 300;
const QUICK_SEARCHES = 50;
const WARM_SEARCHES = 20;
const CHANNEL = `ch_${"0".repeat(26)}`;
const MB = 2 ** 20;

export const search: Bench = {
  name: "search",
  about: "past messages found by number, contact and date, and by word; --messages 10000000 for ten million",
  takes: { firstSeconds: 180, laterSeconds: 180 },
  once: true,
  run: async (context) => {
    const nowMs = Date.now();
    const archive: Archive = {
      messages: Math.ceil((context.messages ?? MESSAGES) / 10) * 10,
      fromMs: nowMs - ARCHIVE_DAYS * DAY_MS,
      toMs: nowMs - DAY_MS,
      channelId: CHANNEL,
    };
    await using system = await freshSystem(context);
    const sql = connectDatabase(system.embedded.databaseUrl, {
      max: 2,
      applicationName: "patchbay bench",
      statementTimeoutMs: 1_800_000,
      idleInTransactionTimeoutMs: 0,
    });
    try {
      await migrateDatabase(sql, { partitions: context.partitions, nowMs: archive.fromMs });
      await migrateDatabase(sql, { partitions: context.partitions, nowMs });
      const generated = await generate(context, sql, archive);
      const program = await system.start("ingress");
      const rows = await searches(context, program.api, archive);
      const writing = await measureWriting(sql, nowMs, { quick: context.quick });
      const indexMicros = (generated.indexSeconds / archive.messages) * 1e6;
      return {
        rows: [...rows, ...writing],
        notes: [
          `${number(archive.messages)} messages of ${ARCHIVE_DAYS} days, written by PostgreSQL in ` +
          `${number(Math.round(generated.writeSeconds))} s: ${
            number(Math.round(generated.messagesMb))
          } MB; indexed in ` +
          `${number(Math.round(generated.indexSeconds))} s, ${number(indexMicros)} µs a message: ` +
          `${number(Math.round(generated.indexMb))} MB more. ${
            number(VOCABULARY)
          } different words, 4 to 19 in a message, ` +
          "the r-th most frequent with a probability of 1/r.",
          "Each search is one request over HTTP for the newest 50 hits, one after the other, with other values each " +
          "time; words are drawn as they come in texts, so that every sixteenth search is for the most frequent one, which " +
          "stands in half of the messages.",
        ],
      };
    } finally {
      await sql.end({ timeout: 2 });
    }
  },
};

async function generate(context: BenchContext, sql: Sql, archive: Archive) {
  const startMs = performance.now();
  let told = 0;
  await writeArchive(sql, archive, (share) => {
    if (share < told + 0.1) return;
    told = share;
    context.say(`wrote ${Math.round(share * 100)} % of ${number(archive.messages)} messages`);
  });
  await sql`vacuum analyze messages, sessions, conversations`;
  const writtenMs = performance.now();
  const messagesMb = await sizeMb(sql);
  context.say("indexing them");
  while (await indexNext(sql, Date.now()));
  const indexedMs = performance.now();
  // So that the index is read as autovacuum leaves it.
  await sql`vacuum analyze`;
  return {
    writeSeconds: (writtenMs - startMs) / 1_000,
    indexSeconds: (indexedMs - writtenMs) / 1_000,
    messagesMb,
    indexMb: await sizeMb(sql) - messagesMb,
  };
}

async function sizeMb(sql: Sql): Promise<number> {
  const [row] = await sql<{ bytes: number }[]>`select pg_database_size(current_database()) as bytes`;
  return row!.bytes / MB;
}

/** A kind of search: the query of one, other values each time. */
interface Kind {
  readonly what: string;
  readonly path: () => string;
  readonly p95MsMax?: number;
}

async function searches(context: BenchContext, api: ApiClient, archive: Archive): Promise<BenchRow[]> {
  const { fromMs, toMs } = archive;
  const below = (count: number) => Math.floor(Math.random() * count);
  const window = () => {
    const startMs = fromMs + Math.random() * (toMs - fromMs - WINDOW_DAYS * DAY_MS);
    const time = (ms: number) => new Date(ms).toISOString();
    return `from=${time(startMs)}&to=${time(startMs + WINDOW_DAYS * DAY_MS)}`;
  };
  const word = () => archivedWord(Math.floor(Math.exp(Math.random() * Math.log(VOCABULARY))));
  const own = () => encodeURIComponent(archivedNumber(below(OWN_NUMBERS)));
  const contact = () => encodeURIComponent(archivedContact(below(contactsOf(archive))));
  const newest = await api.get<{ items: { id: string }[] }>("/v1/messages?limit=200");
  const ids = newest.items.map(({ id }) => id);
  const kinds: Kind[] = [
    { what: "our number and 30 days", path: () => `/v1/archive?number=${own()}&${window()}`, p95MsMax: 50 },
    { what: "contact and 30 days", path: () => `/v1/archive?contact=${contact()}&${window()}`, p95MsMax: 50 },
    { what: "contact", path: () => `/v1/archive?contact=${contact()}` },
    { what: "one word", path: () => `/v1/archive?q=${word()}`, p95MsMax: 300 },
    { what: "one word, in 30 days", path: () => `/v1/archive?q=${word()}&${window()}`, p95MsMax: 300 },
    { what: "two words", path: () => `/v1/archive?q=${word()}+${word()}`, p95MsMax: 300 },
    {
      what: "one word in one queue",
      path: () => `/v1/archive?q=${word()}&queueId=${archivedQueue(below(1_000))}`,
      p95MsMax: 300,
    },
  ];
  const ceiling = await timed(context, api, () => `/v1/messages/${ids[below(ids.length)]}`);
  const rows: BenchRow[] = [];
  for (const { what, path, p95MsMax } of kinds) {
    const { p95Ms, latency } = await timed(context, api, path);
    context.say(`${what}: p95 ${number(p95Ms)} ms`);
    const targets: Target[] = p95MsMax === undefined
      ? []
      : [atMost(p95MsMax, { what: "p95", value: p95Ms, unit: " ms" })];
    rows.push({
      what,
      headline: `${
        rows.length === 0 ? "`search` in " + number(archive.messages) + " messages: by " : "… by "
      }${what}`,
      figure: `p50 ${number(latency.p50Ms)} ms, p95 ${number(p95Ms)} ms`,
      rateMps: null,
      latency,
      targets,
      more: { "p95, ms": p95Ms, "p95 of one message by its id, ms": ceiling.p95Ms },
    });
  }
  return rows;
}

async function timed(context: BenchContext, api: ApiClient, path: () => string) {
  const histogram = new Histogram();
  const all: number[] = [];
  const count = context.quick ? QUICK_SEARCHES : SEARCHES;
  for (let index = -WARM_SEARCHES; index < count; index++) {
    const asked = path();
    const startMs = performance.now();
    await api.get(asked);
    const tookMs = performance.now() - startMs;
    if (index < 0) continue;
    histogram.record(tookMs);
    all.push(tookMs);
  }
  all.sort((a, b) => a - b);
  return { p95Ms: all[Math.ceil(all.length * 0.95) - 1]!, latency: histogram.summary() };
}
