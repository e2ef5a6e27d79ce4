/**
 * How long a platform may hold a session.
 *
 * Two limits, each of which may be left out: the time to answer counts from when the platform got the session, or from
 * the first message that the contact wrote after the platform's last answer; the time to hold counts from when it got
 * the session, however well it answers.
 *
 * @module
 */
import type { Platform } from "../core/directory.ts";

/** A platform's hold on the open session. Times are ms since 1970. */
export interface Hold {
  readonly sinceMs: number;
  /** Since when the contact waits for an answer; null when it has one. */
  readonly owedMs: number | null;
  /** When it ends by itself; null: never. */
  readonly untilMs: number | null;
}

/** Why a platform lost a session that it did not give away. */
export type HoldEnd = "platform-off" | "platform-deadline" | "platform-hold-over";

/** A hold that begins at `atMs`. */
export function newHold(atMs: number, platform: Platform | undefined): Hold {
  return limited({ sinceMs: atMs, owedMs: atMs }, platform);
}

/** After a message of the contact. */
export function afterQuestion(hold: Hold, atMs: number, platform: Platform | undefined): Hold {
  return hold.owedMs === null ? limited({ ...hold, owedMs: atMs }, platform) : hold;
}

/** After an answer of the platform. */
export function afterAnswer(hold: Hold, platform: Platform | undefined): Hold {
  return hold.owedMs === null ? hold : limited({ ...hold, owedMs: null }, platform);
}

/** As the limits are now: they may have been changed since. The same object where nothing differs. */
export function reviewed(hold: Hold, platform: Platform | undefined): Hold {
  const now = limited(hold, platform);
  return now.untilMs === hold.untilMs ? hold : now;
}

/** Why the hold is over at `nowMs`; null while it is not. A platform that is gone or switched off holds nothing. */
export function holdEnd(hold: Hold, platform: Platform | undefined, nowMs: number): HoldEnd | null {
  if (platform?.enabled !== true) return "platform-off";
  const { answerMs, holdMs } = limits(hold, platform);
  if (answerMs !== null && answerMs <= nowMs) return "platform-deadline";
  if (holdMs !== null && holdMs <= nowMs) return "platform-hold-over";
  return null;
}

function limited({ sinceMs, owedMs }: Omit<Hold, "untilMs">, platform: Platform | undefined): Hold {
  const hold = { sinceMs, owedMs };
  const { answerMs, holdMs } = limits(hold, platform);
  const untilMs = answerMs === null || holdMs === null ? answerMs ?? holdMs : Math.min(answerMs, holdMs);
  return { ...hold, untilMs };
}

function limits({ sinceMs, owedMs }: Omit<Hold, "untilMs">, platform: Platform | undefined) {
  const deadline = platform?.deadlineSeconds ?? null;
  const longest = platform?.holdSeconds ?? null;
  return {
    answerMs: deadline === null || owedMs === null ? null : owedMs + deadline * 1_000,
    holdMs: longest === null ? null : sinceMs + longest * 1_000,
  };
}
