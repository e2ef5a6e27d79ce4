/**
 * Which skills a waiting session asks for, and for how long.
 *
 * @module
 */
import type { Skills } from "./entry.ts";
import type { Distribution } from "./settings.ts";

/** What is asked for at one moment; sessions that ask for the same share it. */
export interface Requirement {
  /** The same for the same skills and levels. */
  readonly key: string;
  readonly levels: readonly (readonly [skill: string, level: number])[];
}

/**
 * What a session asks for after `waitedMs`: the queue's skills and its own, each at the higher level, made less by the
 * last step of the relaxation that is reached. `nextMs` is how long it has waited when that changes; null: never.
 */
export function requirementAfter(
  queue: Pick<Distribution, "skills" | "relaxation">,
  own: Skills | undefined,
  waitedMs: number,
): { readonly requirement: Requirement; readonly nextMs: number | null } {
  const levels = new Map(Object.entries(queue.skills));
  for (const [skill, level] of Object.entries(own ?? {})) {
    levels.set(skill, Math.max(level, levels.get(skill) ?? 0));
  }
  if (levels.size === 0) return { requirement: NOTHING, nextMs: null };
  let down = 0;
  let nextMs: number | null = null;
  for (const { afterSeconds, levelsDown, drop } of queue.relaxation) {
    if (afterSeconds * 1_000 > waitedMs) {
      nextMs = afterSeconds * 1_000;
      break;
    }
    down = drop === true ? Infinity : levelsDown ?? 0;
  }
  const asked = [...levels].map(([skill, level]) => [skill, level - down] as const)
    .filter(([, level]) => level > 0).sort(([a], [b]) => a < b ? -1 : 1);
  return {
    requirement: asked.length === 0 ? NOTHING : { key: JSON.stringify(asked), levels: asked },
    nextMs,
  };
}

const NOTHING: Requirement = { key: "", levels: [] };

/** Whether somebody who knows `skills` knows enough. */
export function fits({ levels }: Requirement, skills: Skills): boolean {
  return levels.every(([skill, level]) => (skills[skill] ?? 0) >= level);
}

/** How well somebody who fits knows what is asked for: the sum of the levels. */
export function mastery({ levels }: Requirement, skills: Skills): number {
  return levels.reduce((sum, [skill]) => sum + (skills[skill] ?? 0), 0);
}
