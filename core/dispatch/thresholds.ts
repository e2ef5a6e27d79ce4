/**
 * Thresholds of a queue: what its figures of the last hour, and of this moment, are held against.
 *
 * @module
 */
import { z } from "zod";

const Seconds = z.number().int().min(1).max(86_400);
const Percent = z.number().int().min(1).max(100);

export const ThresholdsSchema = z.object({
  serviceLevel: z.object({ percent: Percent, seconds: Seconds }).strict().optional().describe(
    "At least so many percent of the sessions are taken within so many seconds",
  ),
  abandoned: z.object({ percent: Percent, seconds: Seconds }).strict().optional().describe(
    "At most so many percent end without anybody after they waited for so many seconds",
  ),
  longestChatSeconds: Seconds.optional().describe("No session has been with people for longer"),
  mostWaiting: z.number().int().min(1).max(100_000).optional().describe("No more sessions wait"),
}).strict();

export type Thresholds = z.output<typeof ThresholdsSchema>;

export const THRESHOLDS = ["serviceLevel", "abandoned", "longestChatSeconds", "mostWaiting"] as const;
export type ThresholdName = (typeof THRESHOLDS)[number];

/** Figures of sessions that began in the last hour, but for the last two, which are of now. */
export interface ServiceFigures {
  /** Taken by somebody, or ended without anybody. */
  readonly decided: number;
  readonly takenInTime: number;
  readonly abandonedLate: number;
  readonly longestChatSeconds: number;
  readonly waiting: number;
}

export interface JudgedThreshold {
  readonly threshold: ThresholdName;
  readonly limit: number;
  readonly value: number;
  readonly crossed: boolean;
}

/** Those that are set, each with its figure. With no session in the last hour nothing is said of percentages. */
export function judgeThresholds(thresholds: Thresholds, figures: ServiceFigures): JudgedThreshold[] {
  const { decided, takenInTime, abandonedLate, longestChatSeconds, waiting } = figures;
  const judged: JudgedThreshold[] = [];
  const { serviceLevel, abandoned } = thresholds;
  if (serviceLevel !== undefined && decided > 0) {
    const value = percent(takenInTime, decided);
    judged.push({
      threshold: "serviceLevel",
      limit: serviceLevel.percent,
      value,
      crossed: value < serviceLevel.percent,
    });
  }
  if (abandoned !== undefined && decided > 0) {
    const value = percent(abandonedLate, decided);
    judged.push({
      threshold: "abandoned",
      limit: abandoned.percent,
      value,
      crossed: value > abandoned.percent,
    });
  }
  const now = [["longestChatSeconds", longestChatSeconds], ["mostWaiting", waiting]] as const;
  for (const [threshold, value] of now) {
    const limit = thresholds[threshold];
    if (limit !== undefined) judged.push({ threshold, limit, value, crossed: value > limit });
  }
  return judged;
}

function percent(part: number, whole: number): number {
  return Math.round((part / whole) * 1_000) / 10;
}
