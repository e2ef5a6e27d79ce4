/**
 * What the dispatcher's log holds. A conversation tells of every move of a session that people see; people and
 * processes tell of themselves; a timer tells the time.
 *
 * The conversation has the last word on its session: the dispatcher offers, and whatever came of it comes back as the
 * next fact about that session. Facts of one session carry a rising `version`; one that is not newer than what is known
 * is a repeat.
 *
 * Wire format, packed as in `core/entry.ts`: add optional fields only.
 *
 * @module
 */
import { z } from "zod";
import { SESSION_STATES } from "../session.ts";

/** What an agent must know: level 1 (some) to 10 (expert) by skill. */
export const SkillsSchema = z.record(z.string().min(1).max(64), z.number().int().min(1).max(10));

export type Skills = z.output<typeof SkillsSchema>;

/** Presence as an agent says it; who has as many sessions as fit is busy by itself. */
export const PRESENCES = ["offline", "free", "busy", "paused"] as const;
export type Presence = (typeof PRESENCES)[number];

/** How a session stands after a move of it. */
export const SessionFactSchema = z.object({
  kind: z.literal("session"),
  at: z.number(),
  sessionId: z.string(),
  /** Ours; with `contact` it names the conversation. */
  number: z.string(),
  contact: z.string(),
  /** Grows with every move of this session. */
  version: z.number().int(),
  state: z.enum(SESSION_STATES),
  queueId: z.string().nullable(),
  /** Who holds it. */
  extensionId: z.string().nullable(),
  /** Who it is offered to, and until when, ms since 1970. */
  offeredTo: z.string().nullable(),
  offerUntilMs: z.number().nullable(),
  openedMs: z.number(),
  /** Since when it waits in this queue; one that comes back after an offer keeps its place. */
  waitingSinceMs: z.number(),
  /** 0 (first) to 9. */
  priority: z.number().int().min(0).max(9),
  skills: SkillsSchema.optional(),
  language: z.string().optional(),
  /** Who is to have it again, if free. */
  stickyExtensionId: z.string().optional(),
  /** Who had it offered and did not take it, so that it passes on to others first. */
  declinedBy: z.array(z.string()).optional(),
  /** In wrap-up: until when, ms since 1970. */
  wrapUntilMs: z.number().optional(),
  /** Active, and its contact wrote last: since when. Told in queues with `ignoredSeconds` only. */
  unansweredSinceMs: z.number().optional(),
});

export type SessionFact = z.output<typeof SessionFactSchema>;

/** What an agent, or a supervisor for the agent, sets. */
export const PresenceEntrySchema = z.object({
  kind: z.literal("presence"),
  key: z.string(),
  at: z.number(),
  extensionId: z.string(),
  presence: z.enum(PRESENCES),
  /** Why, of somebody paused. */
  reason: z.string().max(200).optional(),
  /** E.g. `extension:ext_…`. */
  by: z.string(),
  replyTo: z.string().optional(),
});

/** Which agents' event streams a process serves. Repeated every few seconds, so that a process that dies is missed. */
export const ConnectionsEntrySchema = z.object({
  kind: z.literal("connections"),
  at: z.number(),
  /** The process. */
  member: z.string(),
  extensionIds: z.array(z.string()),
});

/** Somebody wants a session out of a queue: taken if there is room. The conversation answers to `replyTo`. */
export const ClaimEntrySchema = z.object({
  kind: z.literal("claim"),
  key: z.string(),
  at: z.number(),
  sessionId: z.string(),
  extensionId: z.string(),
  replyTo: z.string().optional(),
});

/** The time, told when something is due. */
export const TickEntrySchema = z.object({ kind: z.literal("tick"), at: z.number() });

export const DispatchEntrySchema = z.discriminatedUnion("kind", [
  SessionFactSchema,
  PresenceEntrySchema,
  ConnectionsEntrySchema,
  ClaimEntrySchema,
  TickEntrySchema,
]);

export type PresenceEntry = z.output<typeof PresenceEntrySchema>;
export type ClaimEntry = z.output<typeof ClaimEntrySchema>;
export type DispatchEntry = z.output<typeof DispatchEntrySchema>;
