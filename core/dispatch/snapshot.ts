/**
 * The part of the directory that the dispatcher works by.
 *
 * @module
 */
import type { Directory } from "../directory.ts";
import type { AgentSettings, Distribution, OverallDistribution } from "./settings.ts";

export interface DispatchSettings {
  /** The same for the same settings. */
  readonly key: string;
  readonly queues: ReadonlyMap<
    string,
    {
      readonly settings: Readonly<Distribution>;
      readonly members: ReadonlySet<string>;
      /** Whether who waits is told so. */
      readonly tellsWaiting: boolean;
    }
  >;
  readonly agents: ReadonlyMap<string, Readonly<Pick<AgentSettings, "capacity" | "skills">>>;
  readonly overall: Readonly<OverallDistribution>;
}

export function dispatchSettings(directory: Directory): DispatchSettings {
  const queues = [...directory.queues.values()].map((
    { id, members, name: _, calendarId: _c, texts, ...rest },
  ) => [id, { settings: rest, members, tellsWaiting: texts.waiting !== undefined }] as const);
  const agents = [...directory.extensions.values()].map(({ id, capacity, skills }) =>
    [id, { capacity, skills }] as const
  );
  return {
    key: JSON.stringify([
      queues.map(([id, { settings, members, tellsWaiting }]) => [id, settings, [...members], tellsWaiting]),
      agents,
      directory.distribution,
    ]),
    queues: new Map(queues),
    agents: new Map(agents),
    overall: directory.distribution,
  };
}
