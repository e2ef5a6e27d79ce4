/**
 * Which processes serve event streams of which agents.
 *
 * A process repeats its report every {@link CONNECTIONS_EVERY_MS}; one that is not heard of for three of those is gone,
 * and its streams with it.
 *
 * @module
 */
import type { DispatchEntry } from "./entry.ts";
import type { DispatchAgentRow } from "./records.ts";

export const CONNECTIONS_EVERY_MS = 5_000;
const SILENT_MS_MAX = 3 * CONNECTIONS_EVERY_MS;

type Report = Extract<DispatchEntry, { kind: "connections" }>;

export class Connections {
  readonly #agentsOf = new Map<string, Set<string>>();
  readonly #membersOf = new Map<string, Set<string>>();
  readonly #lastMs = new Map<string, number>();

  constructor(agents: readonly DispatchAgentRow[]) {
    for (const { extension_id, members } of agents) {
      for (const member of members) this.#connect(member, extension_id);
    }
  }

  /** Processes that were remembered and not heard of since: their silence begins now. */
  unheard(): readonly string[] {
    if (this.#lastMs.size === this.#agentsOf.size) return [];
    return [...this.#agentsOf.keys()].filter((member) => !this.#lastMs.has(member));
  }

  /** Notes a sign of life at `nowMs`; when the process counts as gone unless there is another; null: it has no streams. */
  heard(member: string, nowMs: number): number | null {
    if (!this.#agentsOf.has(member)) return null;
    this.#lastMs.set(member, nowMs);
    return nowMs + SILENT_MS_MAX;
  }

  /** Takes a report; the agents whose processes changed. Null: it is older than what is known. */
  hear({ member, extensionIds, at }: Report): readonly string[] | null {
    if (at < (this.#lastMs.get(member) ?? 0)) return null;
    const before = this.#agentsOf.get(member) ?? new Set();
    const now = new Set(extensionIds);
    const gone = [...before].filter((id) => !now.has(id));
    const come = [...now].filter((id) => !before.has(id));
    for (const id of gone) this.#disconnect(member, id);
    for (const id of come) this.#connect(member, id);
    return [...gone, ...come].sort();
  }

  /** The process is gone; the agents whose processes changed. */
  silence(member: string): readonly string[] {
    const ids = [...this.#agentsOf.get(member) ?? []].sort();
    for (const id of ids) this.#disconnect(member, id);
    return ids;
  }

  membersOf(extensionId: string): readonly string[] {
    return [...this.#membersOf.get(extensionId) ?? []].sort();
  }

  #connect(member: string, id: string): void {
    add(this.#agentsOf, member, id);
    add(this.#membersOf, id, member);
  }

  #disconnect(member: string, id: string): void {
    remove(this.#agentsOf, member, id);
    remove(this.#membersOf, id, member);
    if (!this.#agentsOf.has(member)) this.#lastMs.delete(member);
  }
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const found = map.get(key);
  if (found === undefined) map.set(key, new Set([value]));
  else found.add(value);
}

function remove(map: Map<string, Set<string>>, key: string, value: string): void {
  const found = map.get(key);
  found?.delete(value);
  if (found?.size === 0) map.delete(key);
}
