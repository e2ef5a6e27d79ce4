/**
 * The configuration in PostgreSQL.
 *
 * A change first locks the one row of `directory_version`. Changes are rare and short, and with them in a row
 * every check that a change makes (is the name free? does the queue exist?) holds until its commit.
 *
 * @module
 */
import { sql } from "kysely";
import { type IdKind, newId } from "../../core/ids.ts";
import type {
  Change,
  ChangeOptions,
  ConfigurationReader,
  ConfigurationStore,
  ConfigurationTransaction,
} from "../../core/ports/configuration.ts";
import type { SecretBox } from "../../core/ports/secret_box.ts";
import { auditRows } from "./audit_rows.ts";
import { calendarRows } from "./calendar_rows.ts";
import { cannedRows, cannedTexts } from "./canned_rows.ts";
import { channelRows, webhookRows } from "./channel_rows.ts";
import type { Executor } from "./configuration_rows.ts";
import type { Database } from "./database.ts";
import { readDistribution, writeDistribution } from "./distribution_row.ts";
import { extensionRows, queueRows } from "./extension_rows.ts";
import { storeAnswer, storedAnswer } from "./idempotency.ts";
import { presetRows, readInCall, writeInCall } from "./in_call_rows.ts";
import { numberRows } from "./number_rows.ts";
import { keyRows, platformRows } from "./platform_rows.ts";
import { referrers } from "./referrers.ts";
import { ruleRows } from "./rule_rows.ts";

/** How long a change waits for the one before it. */
const LOCK_TIMEOUT_MS = 10_000;

export interface ConfigurationStoreOptions {
  readonly db: Database;
  readonly box: SecretBox;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (bytes: Uint8Array) => void;
  /** 256 random bits, base64url. */
  readonly newSecret: () => string;
}

export function createConfigurationStore(options: ConfigurationStoreOptions): ConfigurationStore {
  const { db, box } = options;
  return {
    read: (work) => work(reader(db, box)),
    change: (change, work) => runChange(options, change, work),
    setChannelStatus: async (id, status, reason) => {
      await db.updateTable("channels")
        .set({
          status,
          status_reason: reason,
          // Since when it is like that, whatever is said of it meanwhile.
          status_at: sql<Date>`case when status = ${status} then status_at
            else ${new Date(options.now()).toISOString()}::timestamptz end`,
        })
        // What an administrator switched off stays "disabled", whatever a call under way comes back with.
        .where("id", "=", id).where("enabled", "=", true).execute();
    },
    note: async (actor, entry) => {
      const at = new Date(options.now());
      await auditRows(db).insert({ ...entry, id: newId("audit", at.getTime(), options.random), at, actor });
    },
    setPlatformStatus: async (id, status, reason) => {
      await db.updateTable("platforms")
        .set({
          status,
          status_reason: reason,
          status_at: sql<Date>`case when status = ${status} then status_at
            else ${new Date(options.now()).toISOString()}::timestamptz end`,
        })
        .where("id", "=", id).where("enabled", "=", true).execute();
    },
    forgetAnswers: async (before) => {
      await db.deleteFrom("idempotency").where("created_at", "<", before).execute();
    },
  };
}

/** Leaves the transaction of a dry run with its result. */
class DryRunEnd extends Error {
  readonly result: unknown;

  constructor(result: unknown) {
    super("dry run");
    this.result = result;
  }
}

async function runChange<T>(
  options: ConfigurationStoreOptions,
  { actor, dryRun, idempotency }: ChangeOptions,
  work: (tx: ConfigurationTransaction) => Promise<T>,
): Promise<Change<T>> {
  const { db, box } = options;
  try {
    return await db.transaction().execute(async (trx) => {
      await sql.raw(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`).execute(trx);
      await sql`select version from directory_version for update`.execute(trx);
      if (idempotency) {
        const stored = await storedAnswer<T>(trx, box, idempotency);
        if (stored) return { result: stored.result, repeated: true };
      }
      const now = new Date(options.now());
      const { tx, recorded } = transaction(trx, options, actor, now);
      const result = await work(tx);
      if (dryRun) throw new DryRunEnd(result);
      if (recorded() > 0) await sql`update directory_version set version = version + 1`.execute(trx);
      if (idempotency) await storeAnswer(trx, box, idempotency, result, now);
      return { result, repeated: false };
    });
  } catch (error) {
    if (error instanceof DryRunEnd) return { result: error.result as T, repeated: false };
    throw error;
  }
}

function reader(db: Executor, box: SecretBox): ConfigurationReader {
  return {
    channels: channelRows(db, box),
    numbers: numberRows(db),
    extensions: extensionRows(db),
    queues: queueRows(db),
    platforms: platformRows(db, box),
    calendars: calendarRows(db),
    rules: ruleRows(db),
    canned: cannedRows(db),
    cannedTexts: cannedTexts(db),
    presets: presetRows(db),
    inCall: () => readInCall(db),
    keys: keyRows(db),
    distribution: () => readDistribution(db),
    webhooks: (channelId, nowMs) => webhookRows(db, box).list(channelId, nowMs),
    audit: auditRows(db).list,
  };
}

function transaction(trx: Executor, options: ConfigurationStoreOptions, actor: string, now: Date) {
  const { box, random, newSecret } = options;
  const channels = channelRows(trx, box);
  const webhooks = webhookRows(trx, box);
  const audit = auditRows(trx);
  const makeId = (kind: IdKind) => newId(kind, now.getTime(), random);
  let recorded = 0;
  const tx: ConfigurationTransaction = {
    now,
    channels,
    numbers: numberRows(trx),
    extensions: extensionRows(trx),
    queues: queueRows(trx),
    platforms: platformRows(trx, box),
    calendars: calendarRows(trx),
    rules: ruleRows(trx),
    canned: cannedRows(trx),
    cannedTexts: cannedTexts(trx),
    presets: presetRows(trx),
    inCall: () => readInCall(trx),
    setInCall: (settings) => writeInCall(trx, settings),
    keys: keyRows(trx),
    distribution: () => readDistribution(trx),
    setDistribution: (settings) => writeDistribution(trx, settings),
    webhooks: webhooks.list,
    audit: audit.list,
    newId: makeId,
    newSecret,
    defaultChannel: channels.default,
    addWebhook: webhooks.add,
    retireWebhook: (channelId, expiresAt) => webhooks.retire(channelId, expiresAt, now),
    referrers: (id) => referrers(trx, id),
    record: async (entry) => {
      recorded++;
      await audit.insert({ ...entry, id: makeId("audit"), at: now, actor });
    },
  };
  return { tx, recorded: () => recorded };
}
