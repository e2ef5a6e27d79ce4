/**
 * The tables as Kysely types, mirroring the migrations. `…_ms` columns are milliseconds since 1970.
 *
 * @module
 */
import type { ColumnType, Generated } from "kysely";
import type { QueueTexts } from "../../core/automated_text.ts";
import type { Calendar } from "../../core/calendar/calendar.ts";
import type { ChannelSettings, ChannelStatus, Destination, OwnNumber } from "../../core/channel.ts";
import type { Attributes } from "../../core/contact.ts";
import type { Skills } from "../../core/dispatch/entry.ts";
import type { PlatformFallback, PlatformStatus, Role } from "../../core/directory.ts";
import type { OptOutRow } from "../../core/opt_out/opt_out.ts";
import type { OptOutSettings } from "../../core/opt_out/settings.ts";
import type { InCallPreset, QueueInCall } from "../../core/in_call/settings.ts";
import type { MessageRow } from "../../core/message.ts";
import type { Rule } from "../../core/rules/rule.ts";
import type { SessionRow } from "../../core/session.ts";
import type { SessionNote } from "../../core/session_notes.ts";

/** A time that the database fills in when the row is made. */
type Made = ColumnType<Date, Date | undefined, Date>;
/** jsonb: read as it is, written as plain values (the driver makes the JSON). */
type Json = ColumnType<unknown, unknown, unknown>;

/** `row` with those columns optional in inserts that have a default. */
type WithDefaults<Row, Keys extends keyof Row> = {
  [Key in keyof Row]: Key extends Keys ? Generated<Row[Key]> : Row[Key];
};

interface ChannelsTable {
  id: string;
  name: string;
  provider: string;
  enabled: Generated<boolean>;
  is_default: Generated<boolean>;
  settings: ColumnType<ChannelSettings>;
  credentials: Uint8Array;
  status: ChannelStatus;
  status_reason: string | null;
  status_at: Made;
  created_at: Made;
  updated_at: Made;
}

interface WebhookSecretsTable {
  hash: string;
  channel_id: string;
  secret: Uint8Array;
  expires_at: Date | null;
  created_at: Made;
}

interface ExtensionsTable {
  id: string;
  extension: string;
  name: string;
  capacity: number | null;
  skills: ColumnType<Skills>;
  canned_only: Generated<boolean>;
  created_at: Made;
  updated_at: Made;
}

interface QueuesTable {
  id: string;
  name: string;
  strategy: Generated<string>;
  distribution: Json;
  calendar_id: string | null;
  texts: ColumnType<QueueTexts>;
  in_call: ColumnType<QueueInCall>;
  created_at: Made;
  updated_at: Made;
}

interface InCallPresetsTable {
  id: string;
  label: string;
  texts: ColumnType<InCallPreset["texts"]>;
  queue_ids: ColumnType<readonly string[]>;
  created_at: Made;
  updated_at: Made;
}

interface CalendarsTable {
  id: string;
  name: string;
  time_zone: string;
  hours: ColumnType<Calendar["hours"]>;
  holidays: ColumnType<Calendar["holidays"]>;
  exceptions: ColumnType<Calendar["exceptions"]>;
  created_at: Made;
  updated_at: Made;
}

interface RulesTable {
  id: string;
  name: string;
  enabled: boolean;
  priority: number;
  conditions: ColumnType<Rule["match"]>;
  action: ColumnType<Rule["action"]>;
  created_at: Made;
  updated_at: Made;
}

interface PlatformsTable {
  id: string;
  name: string;
  enabled: Generated<boolean>;
  endpoint: string | null;
  secret: Uint8Array | null;
  deadline_seconds: number | null;
  hold_seconds: number | null;
  fallback: ColumnType<PlatformFallback | null>;
  nats_key: string | null;
  nats_key_at: Date | null;
  status: Generated<PlatformStatus>;
  status_reason: string | null;
  status_at: Made;
  created_at: Made;
  updated_at: Made;
}

interface NumbersTable {
  id: string;
  channel_id: string;
  number: string;
  type: OwnNumber["type"];
  label: string | null;
  verified: Generated<boolean>;
  direction: Generated<OwnNumber["direction"]>;
  purpose: Generated<OwnNumber["purpose"]>;
  rate_mps: number | null;
  burst: number | null;
  destination: ColumnType<Destination | null>;
  allowed_extensions: ColumnType<readonly string[]>;
  allowed_queues: ColumnType<readonly string[]>;
  opt_out: OptOutSettings | null;
  created_at: Made;
  updated_at: Made;
}

interface ApiKeysTable {
  id: string;
  name: string;
  role: Role;
  hash: string;
  extension_id: string | null;
  platform_id: string | null;
  expires_at: Date | null;
  created_at: Made;
}

interface AuditLogTable {
  id: string;
  at: Made;
  actor: string;
  action: string;
  kind: string;
  target: string;
  before: Json;
  after: Json;
}

interface IdempotencyTable {
  key: string;
  fingerprint: string;
  status: number | null;
  body: Json;
  created_at: Made;
}

interface PartitionsTable {
  kind: string;
  partition: number;
  epoch: Generated<number>;
  owner: string | null;
  cursor: Generated<number>;
  cursor_stored: string | null;
  stream_created: string | null;
}

interface StatisticsTable {
  channel_id: string;
  number: string;
  hour_ms: number;
  shard: number;
  received: Generated<number>;
  sent: Generated<number>;
  delivered: Generated<number>;
  failed: Generated<number>;
  segments_in: Generated<number>;
  segments_out: Generated<number>;
}

interface ConversationsTable {
  id: string;
  partition: number;
  number: string;
  contact: string;
  state: Json;
  position: Generated<number>;
  session_id: string | null;
  last_activity_ms: number;
  idle_ms: number | null;
  due_ms: number | null;
  held_until_ms: number | null;
}

interface CannedTextsTable {
  id: string;
  queue_id: string | null;
  label: string;
  language: string;
  text: string;
  created_at: Made;
  updated_at: Made;
}

interface MediaTable {
  id: string;
  message_id: string | null;
  channel_id: string | null;
  state: "pending" | "uploading" | "ready" | "failed" | "deleted";
  source_url: string | null;
  declared_type: string | null;
  types: readonly string[] | null;
  content_type: string | null;
  size_bytes: number | null;
  author: string | null;
  upload_key: string | null;
  attempts: Generated<number>;
  error: string | null;
  told: Generated<boolean>;
  claim: string | null;
  due_ms: number | null;
  expires_ms: number | null;
  created_ms: number;
}

interface DeadLettersTable {
  id: string;
  at_ms: number;
  kind: string;
  stream: string;
  partition: number;
  sequence: number;
  reason: string;
  payload: string;
  replayed_at: Date | null;
}

/** Every table that Kysely is used for. */
export interface Schema {
  installation: { id: Generated<boolean>; partitions: number; created_at: Made };
  partitions: PartitionsTable;
  channels: ChannelsTable;
  webhook_secrets: WebhookSecretsTable;
  extensions: ExtensionsTable;
  queues: QueuesTable;
  queue_members: { queue_id: string; extension_id: string };
  platforms: PlatformsTable;
  calendars: CalendarsTable;
  distribution: { id: Generated<boolean>; settings: Json };
  in_call: { id: Generated<boolean>; settings: Json };
  in_call_presets: InCallPresetsTable;
  rules: RulesTable;
  numbers: NumbersTable;
  api_keys: ApiKeysTable;
  audit_log: AuditLogTable;
  directory_version: { id: Generated<boolean>; version: number };
  idempotency: IdempotencyTable;
  conversations: ConversationsTable;
  sessions: SessionRow;
  session_notes: SessionNote;
  messages: WithDefaults<MessageRow, "attempts" | "uncertain">;
  seen: { key: string; at_ms: number; result: Json };
  outbox: { kind: string; partition: number; sequence: number; payload: Json; created_at: Made };
  statistics: StatisticsTable;
  pending_reports: { id: string; partition: number; at_ms: number; entry: Json };
  dead_letters: DeadLettersTable;
  opt_outs: OptOutRow;
  contacts: { number: string; attributes: ColumnType<Attributes>; language: string | null };
  media: MediaTable;
  canned_texts: CannedTextsTable;
}
