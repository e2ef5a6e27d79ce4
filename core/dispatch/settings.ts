/**
 * How work is given out: what administrators set for a queue, for an extension and for all of them together.
 *
 * @module
 */
import { z } from "zod";
import { SkillsSchema } from "./entry.ts";
import { ThresholdsSchema } from "./thresholds.ts";

export const STRATEGIES = ["pickup", "longest-idle", "round-robin", "least-busy", "skills"] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** What becomes of an agent's sessions when the agent is gone. */
export const AGENT_GONE_RULES = ["requeue", "keep", "close"] as const;

const CAPACITY_MAX = 100_000;
const SECONDS_MAX = 86_400;

export const CapacitySchema = z.number().int().min(1).max(CAPACITY_MAX);

/** After `afterSeconds` in the line the skills count for less, or for nothing. */
export const RelaxationSchema = z.object({
  afterSeconds: z.number().int().min(1).max(SECONDS_MAX),
  levelsDown: z.number().int().min(1).max(10).optional().describe(
    "Each level asked for is this much lower; a skill whose level falls to 0 is not asked for",
  ),
  drop: z.boolean().optional().describe("No skill is asked for any more"),
}).strict().refine(
  ({ levelsDown, drop }) => (levelsDown !== undefined) !== (drop === true),
  "must have either levelsDown or drop: true",
);

/** A queue's settings, as fields of the queue. */
export const DistributionSchema = z.object({
  strategy: z.enum(STRATEGIES).default("pickup").describe(
    "pickup: every member sees it, the first to accept owns it. The others offer it to one member at a time",
  ),
  offerSeconds: z.number().int().min(1).max(3_600).default(30).describe(
    "How long an offer stands before it passes on",
  ),
  autoAccept: z.boolean().default(false).describe("An offer counts as accepted at once"),
  capacity: CapacitySchema.nullable().default(null).describe(
    "Sessions of this queue that people may have at once; null: any number",
  ),
  wrapUpSeconds: z.number().int().min(0).max(3_600).default(0).describe(
    "How long an agent still counts as busy with a session after closing it",
  ),
  sticky: z.boolean().default(false).describe("A contact comes back to the same agent, if free"),
  stickyDays: z.number().int().min(1).max(365).default(30).describe(
    "For so long after the last session was closed",
  ),
  onAgentGone: z.enum(AGENT_GONE_RULES).default("requeue").describe(
    "What becomes of an agent's sessions when the agent goes offline",
  ),
  ignoredSeconds: z.number().int().min(1).max(SECONDS_MAX).nullable().default(null).describe(
    "A contact's message that is not answered for so long takes the session back; null: never",
  ),
  skills: SkillsSchema.default({}).describe("What an agent must know, with the least level (1 to 10)"),
  relaxation: z.array(RelaxationSchema).max(10).default([]).refine(
    (steps) =>
      steps.every(({ afterSeconds }, index) => index === 0 || steps[index - 1]!.afterSeconds < afterSeconds),
    "must be in the order of afterSeconds, each later than the one before",
  ),
  thresholds: ThresholdsSchema.default({}).describe("What its figures are held against"),
  maxWaiting: CapacitySchema.nullable().default(null).describe(
    "Sessions that may wait at once; further ones get the queue's text for that. null: any number",
  ),
  cannedOnly: z.boolean().default(false).describe(
    "Agents may only send its contacts texts that an administrator wrote",
  ),
  sharedArchive: z.boolean().default(false).describe(
    "Every member may look for and read what was written in its past sessions",
  ),
});

export type Distribution = z.output<typeof DistributionSchema>;

/** A queue's settings where nothing is said. */
export const DEFAULT_DISTRIBUTION: Distribution = DistributionSchema.parse({});

/** An extension's settings, as fields of the extension. */
export const AgentSettingsSchema = z.object({
  capacity: CapacitySchema.nullable().default(null).describe(
    "Sessions that this agent may have at once; null: as many as the installation's setting says",
  ),
  skills: SkillsSchema.default({}).describe("What this agent knows, by level 1 to 10"),
  cannedOnly: z.boolean().default(false).describe(
    "This agent may only send texts that an administrator wrote",
  ),
});

export type AgentSettings = z.output<typeof AgentSettingsSchema>;

/** An extension's settings where nothing is said. */
export const DEFAULT_AGENT_SETTINGS: AgentSettings = AgentSettingsSchema.parse({});

/** What holds for all queues and agents. */
export const OverallDistributionSchema = z.object({
  capacity: CapacitySchema.nullable().default(null).describe(
    "Sessions that people may have at once, over all queues; null: any number",
  ),
  agentCapacity: CapacitySchema.nullable().default(null).describe(
    "Sessions at once of an extension without a capacity of its own; null: any number",
  ),
  graceSeconds: z.number().int().min(1).max(3_600).default(30).describe(
    "An agent whose event stream is gone for longer than this counts as offline",
  ),
}).strict();

export type OverallDistribution = z.output<typeof OverallDistributionSchema>;

export const DEFAULT_OVERALL_DISTRIBUTION: OverallDistribution = OverallDistributionSchema.parse({});
