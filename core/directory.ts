/**
 * The directory: everything administrators configured, as one immutable snapshot in memory. Hot paths read
 * only this, so that they work while the database is away; a new snapshot replaces the old one on a change.
 *
 * @module
 */
import type { QueueTexts } from "./automated_text.ts";
import type { Calendar } from "./calendar/calendar.ts";
import type { Channel, OwnNumber } from "./channel.ts";
import {
  type AgentSettings,
  DEFAULT_OVERALL_DISTRIBUTION,
  type Distribution,
  type OverallDistribution,
} from "./dispatch/settings.ts";
import {
  DEFAULT_IN_CALL,
  type InCallPreset,
  type InCallSettings,
  type QueueInCall,
} from "./in_call/settings.ts";
import type { RoutingRule } from "./rules/rule.ts";

export interface Extension extends Readonly<AgentSettings> {
  readonly id: string;
  /** What people dial, e.g. "101". */
  readonly extension: string;
  readonly name: string;
}

export interface MessageQueue extends Readonly<Distribution> {
  readonly id: string;
  readonly name: string;
  /** Ids of extensions. */
  readonly members: ReadonlySet<string>;
  /** When it is served; null: always. */
  readonly calendarId: string | null;
  readonly texts: QueueTexts;
  readonly inCall: QueueInCall;
}

/** Where sessions go that a platform does not see to. */
export interface PlatformFallback {
  readonly kind: "queue" | "extension";
  readonly id: string;
}

/** Of the calls to its endpoint; without one it is always `ready`. */
export const PLATFORM_STATUSES = ["ready", "failing"] as const;
export type PlatformStatus = (typeof PLATFORM_STATUSES)[number];

export interface Platform {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  /** HTTPS endpoint that events are posted to besides NATS. */
  readonly endpoint: string | null;
  /** Signs the posts; in clear, never to be logged or returned. */
  readonly secret: string | null;
  /** How long a contact may wait for its answer before the session is handed on, seconds; null: for ever. */
  readonly deadlineSeconds: number | null;
  /** How long it may have a session at all, seconds; null: for ever. */
  readonly holdSeconds: number | null;
  /** Where its sessions go then; null: they wait for anyone. */
  readonly fallback: PlatformFallback | null;
  /** Public key of its user at the broker; null: it has none. */
  readonly natsKey: string | null;
}

export const ROLES = ["administrator", "supervisor", "agent", "platform", "read-only"] as const;
export type Role = (typeof ROLES)[number];

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** For the role `agent`. */
  readonly extensionId: string | null;
  /** For the role `platform`. */
  readonly platformId: string | null;
  readonly expiresMs: number | null;
}

/** A webhook secret in force. An old one stays until its grace period ends. */
export interface WebhookSecret {
  readonly channelId: string;
  readonly expiresMs: number | null;
}

export interface Directory {
  /** Grows with every change. */
  readonly version: number;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly numbers: ReadonlyMap<string, OwnNumber>;
  /** By the number itself. */
  readonly numbersByAddress: ReadonlyMap<string, OwnNumber>;
  readonly extensions: ReadonlyMap<string, Extension>;
  readonly queues: ReadonlyMap<string, MessageQueue>;
  readonly platforms: ReadonlyMap<string, Platform>;
  readonly calendars: ReadonlyMap<string, Calendar>;
  readonly distribution: OverallDistribution;
  /** In the order in which they are asked. */
  readonly rules: readonly RoutingRule[];
  readonly inCall: InCallSettings;
  /** By label. */
  readonly inCallPresets: readonly InCallPreset[];
  /** By SHA-256 of the key, hex. */
  readonly keys: ReadonlyMap<string, ApiKey>;
  /** By SHA-256 of the secret, hex. */
  readonly webhooks: ReadonlyMap<string, WebhookSecret>;
  /** By channel: the webhook secret in use, in clear, for the URLs that we give to providers. Never to be logged. */
  readonly webhookSecrets: ReadonlyMap<string, string>;
}

export const EMPTY_DIRECTORY: Directory = {
  version: 0,
  channels: new Map(),
  numbers: new Map(),
  numbersByAddress: new Map(),
  extensions: new Map(),
  queues: new Map(),
  platforms: new Map(),
  calendars: new Map(),
  distribution: DEFAULT_OVERALL_DISTRIBUTION,
  rules: [],
  inCall: DEFAULT_IN_CALL,
  inCallPresets: [],
  keys: new Map(),
  webhooks: new Map(),
  webhookSecrets: new Map(),
};
