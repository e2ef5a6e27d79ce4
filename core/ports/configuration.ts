/**
 * Where the configuration is kept, and the rules under which it changes: one transaction a change, in which
 * the rows, their audit entries and the raised version are written together. Changes are serialised, so what
 * a change has read stays true until it is committed.
 *
 * @module
 */
import type { QueueTexts } from "../automated_text.ts";
import type { Calendar } from "../calendar/calendar.ts";
import type { ChannelSettings, ChannelStatus, OwnNumber } from "../channel.ts";
import type { Distribution, OverallDistribution } from "../dispatch/settings.ts";
import type { Extension, PlatformFallback, PlatformStatus, Role } from "../directory.ts";
import type { FieldError } from "../fields.ts";
import type { IdKind } from "../ids.ts";
import type { InCallPreset, InCallSettings, QueueInCall } from "../in_call/settings.ts";
import type { Rule } from "../rules/rule.ts";

interface Stored {
  readonly id: string;
  readonly createdAt: Date;
}

interface Updated extends Stored {
  readonly updatedAt: Date;
}

/** A channel as it is stored; credentials in clear on this side of the port. */
export interface ChannelRecord extends Updated {
  readonly name: string;
  readonly provider: string;
  readonly enabled: boolean;
  readonly isDefault: boolean;
  readonly settings: ChannelSettings;
  readonly credentials: Readonly<Record<string, unknown>>;
  readonly status: ChannelStatus;
  readonly statusReason: string | null;
  readonly statusAt: Date;
}

export interface NumberRecord extends OwnNumber, Updated {
  readonly id: string;
}

export interface ExtensionRecord extends Extension, Updated {
  readonly id: string;
}

export interface QueueRecord extends Updated, Readonly<Distribution> {
  readonly name: string;
  /** Ids of extensions, in the order of the ids. */
  readonly members: readonly string[];
  readonly calendarId: string | null;
  readonly texts: QueueTexts;
  readonly inCall: QueueInCall;
}

export interface PresetRecord extends InCallPreset, Updated {
  readonly id: string;
}

export interface CalendarRecord extends Calendar, Updated {
  readonly id: string;
}

export interface RuleRecord extends Rule, Updated {
  readonly id: string;
}

/** A text that agents send by its label. */
export interface CannedRecord extends Updated {
  /** Null: of all queues. */
  readonly queueId: string | null;
  readonly label: string;
  readonly language: string;
  readonly text: string;
}

export interface PlatformRecord extends Updated {
  readonly name: string;
  readonly enabled: boolean;
  readonly endpoint: string | null;
  /** In clear on this side of the port. */
  readonly secret: string | null;
  readonly deadlineSeconds: number | null;
  readonly holdSeconds: number | null;
  readonly fallback: PlatformFallback | null;
  /** Public key of its user at the broker. */
  readonly natsKey: string | null;
  readonly natsKeyAt: Date | null;
  readonly status: PlatformStatus;
  readonly statusReason: string | null;
  readonly statusAt: Date;
}

export interface KeyRecord extends Stored {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the key, hex. */
  readonly hash: string;
  readonly extensionId: string | null;
  readonly platformId: string | null;
  readonly expiresAt: Date | null;
}

export interface WebhookRecord {
  readonly channelId: string;
  /** In clear on this side of the port. */
  readonly secret: string;
  /** When it stops working; null for the one in use. */
  readonly expiresAt: Date | null;
}

export interface AuditRecord {
  readonly id: string;
  readonly at: Date;
  /** `key:<id>` or `system`. */
  readonly actor: string;
  readonly action: string;
  readonly kind: string;
  readonly target: string;
  /** As the API shows it: without secrets. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Rows of one kind. `key` is what people know a row by: a channel's name, a number, an extension. */
export interface Rows<T> {
  /** In the order of the ids, after `after`. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<T[]>;
  get(id: string): Promise<T | undefined>;
  /** The row that people know by `key`; API keys' names need not be unique, so there the oldest. */
  find(key: string): Promise<T | undefined>;
}

export interface ChangeableRows<T> extends Rows<T> {
  insert(row: T): Promise<void>;
  update(row: T): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Something that stands in the way of a removal. */
export interface Referrer {
  readonly kind: string;
  /** What people know it by, or how many there are. */
  readonly name: string;
}

export interface ConfigurationReader {
  readonly channels: Rows<ChannelRecord>;
  readonly numbers: Rows<NumberRecord>;
  readonly extensions: Rows<ExtensionRecord>;
  readonly queues: Rows<QueueRecord>;
  readonly platforms: Rows<PlatformRecord>;
  readonly calendars: Rows<CalendarRecord>;
  readonly rules: Rows<RuleRecord>;
  readonly canned: Rows<CannedRecord>;
  /** Those of all queues and, unless it is null, those of one, in the order of the ids. */
  cannedTexts(query: {
    readonly queueId: string | null;
    readonly label?: string;
    readonly after?: string;
    readonly limit: number;
  }): Promise<CannedRecord[]>;
  readonly presets: Rows<PresetRecord>;
  readonly keys: Rows<KeyRecord>;
  /** What holds for all queues and agents. */
  distribution(): Promise<OverallDistribution>;
  /** What is set for texting during calls. */
  inCall(): Promise<InCallSettings>;
  /** The channel's webhook secrets that are in force at `nowMs`: the one in use first. */
  webhooks(channelId: string, nowMs: number): Promise<WebhookRecord[]>;
  /** Newest first; `after` is the id of the last one seen. */
  audit(query: {
    readonly after?: string;
    readonly limit: number;
    readonly kind?: string;
    readonly target?: string;
    readonly actor?: string;
    readonly action?: string;
    readonly from?: Date;
    readonly to?: Date;
  }): Promise<AuditRecord[]>;
}

export interface ConfigurationTransaction extends ConfigurationReader {
  /** Time of the change. */
  readonly now: Date;
  readonly channels: ChangeableRows<ChannelRecord>;
  readonly numbers: ChangeableRows<NumberRecord>;
  readonly extensions: ChangeableRows<ExtensionRecord>;
  readonly queues: ChangeableRows<QueueRecord>;
  readonly platforms: ChangeableRows<PlatformRecord>;
  readonly calendars: ChangeableRows<CalendarRecord>;
  readonly rules: ChangeableRows<RuleRecord>;
  readonly canned: ChangeableRows<CannedRecord>;
  readonly presets: ChangeableRows<PresetRecord>;
  readonly keys: ChangeableRows<KeyRecord>;
  setDistribution(distribution: OverallDistribution): Promise<void>;
  setInCall(settings: InCallSettings): Promise<void>;
  newId(kind: IdKind): string;
  /** 256 random bits, base64url: 43 characters. */
  newSecret(): string;
  /** The channel that is the default now. */
  defaultChannel(): Promise<ChannelRecord | undefined>;
  addWebhook(webhook: WebhookRecord): Promise<void>;
  /** Lets the webhook secret in use end at `expiresAt`. */
  retireWebhook(channelId: string, expiresAt: Date): Promise<void>;
  /** What still refers to the row with this id: numbers, channels, queues, rules, open sessions, unsent messages. */
  referrers(id: string): Promise<Referrer[]>;
  record(entry: Pick<AuditRecord, "action" | "kind" | "target" | "before" | "after">): Promise<void>;
}

export interface ChangeOptions {
  /** `key:<id>` or `system`: stands in the audit log. */
  readonly actor: string;
  /** Rolls back at the end instead of committing. */
  readonly dryRun?: boolean;
  /** The caller's key, made unique per caller, and a hash of what was asked for. */
  readonly idempotency?: { readonly key: string; readonly fingerprint: string };
}

export interface Change<T> {
  readonly result: T;
  /** True when `result` is the stored answer to an earlier request with the same idempotency key. */
  readonly repeated: boolean;
}

export interface ConfigurationStore {
  read<T>(work: (reader: ConfigurationReader) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one transaction and raises the configuration's version if anything was recorded. With an
   * idempotency key the result (which must survive JSON) is stored in the same transaction, encrypted; the same
   * key later resolves with it, without running `work`. A change that comes while another is under way waits for it.
   *
   * Whatever `work` throws rolls everything back and is thrown on.
   *
   * @throws {ConfigurationFault} `key-reused`: the idempotency key came with something else before.
   */
  change<T>(options: ChangeOptions, work: (tx: ConfigurationTransaction) => Promise<T>): Promise<Change<T>>;
  /**
   * Notes how a channel is doing. That is no change of the configuration: nothing is audited and no version raised.
   * Nothing happens to a channel that is switched off.
   */
  setChannelStatus(id: string, status: ChannelStatus, reason: string): Promise<void>;
  /**
   * Notes in the audit log what changed nothing and somebody may have to answer for: that they read or took out what
   * people wrote.
   */
  note(
    actor: string,
    entry: Pick<AuditRecord, "action" | "kind" | "target" | "before" | "after">,
  ): Promise<void>;
  /** The same of a platform's endpoint. */
  setPlatformStatus(id: string, status: PlatformStatus, reason: string): Promise<void>;
  /** Forgets the answers kept for idempotency keys that were given before `before`. */
  forgetAnswers(before: Date): Promise<void>;
}

/**
 * Why a change was refused. Thrown, although it is expected: it has to leave the transaction, so that the
 * transaction is rolled back.
 */
export class ConfigurationFault extends Error {
  override readonly name = "ConfigurationFault";
  readonly kind: "invalid" | "not-found" | "conflict" | "key-reused";
  readonly errors: readonly FieldError[];

  constructor(kind: ConfigurationFault["kind"], message: string, errors: readonly FieldError[] = []) {
    super(message);
    this.kind = kind;
    this.errors = errors;
  }
}
