/**
 * The agents, and where those who could take something stand ready.
 *
 * @module
 */
import { type Agent, isReady, shownPresence } from "./at_work.ts";
import type { DispatchDraft } from "./draft.ts";
import { type DispatchAgentRow, newAgentRow } from "./records.ts";
import type { DispatchSettings } from "./snapshot.ts";
import type { WaitingLine } from "./waiting_line.ts";

export interface RosterOptions {
  readonly draft: DispatchDraft;
  readonly now: () => number;
  /** Told of every line that somebody stands ready for anew. */
  readonly onReady: (line: WaitingLine) => void;
}

export class Roster {
  readonly #options: RosterOptions;
  readonly #agents = new Map<string, Agent>();
  /** The lines that an agent serves. */
  #linesOf = new Map<string, WaitingLine[]>();
  #settings: DispatchSettings;

  constructor(rows: readonly DispatchAgentRow[], settings: DispatchSettings, options: RosterOptions) {
    this.#options = options;
    this.#settings = settings;
    for (const row of rows) this.#add(row);
  }

  get agents(): ReadonlyMap<string, Agent> {
    return this.#agents;
  }

  /** An agent of whom nothing is known yet begins here. */
  agent(id: string): Agent {
    return this.#agents.get(id) ?? this.#add(newAgentRow(id));
  }

  /** Changes what the lines look at. With `atWork` the agent got or lost a session. */
  change(agent: Agent, change: () => void, atWork = false): void {
    const { draft, now, onReady } = this.#options;
    const lines = this.#linesOf.get(agent.id) ?? [];
    const before = agent.row;
    if (isReady(agent)) { for (const line of lines) line.removeReady(agent); }
    change();
    if (atWork) agent.row = { ...agent.row, idle_since_ms: now() };
    this.#show(agent);
    draft.agentChanged(agent, before);
    if (!isReady(agent)) return;
    for (const line of lines) {
      line.addReady(agent);
      onReady(line);
    }
  }

  /** Goes by other settings from now on; nobody has any session, and nobody stands ready. */
  configure(settings: DispatchSettings, lines: Iterable<WaitingLine>): void {
    this.#settings = settings;
    this.#linesOf = new Map();
    for (const line of lines) {
      for (const member of line.members) {
        const served = this.#linesOf.get(member);
        if (served === undefined) this.#linesOf.set(member, [line]);
        else served.push(line);
      }
    }
    for (const id of settings.agents.keys()) this.agent(id);
    for (const agent of this.#agents.values()) {
      Object.assign(agent, this.#settingsOf(agent.id));
      agent.sessions.clear();
    }
  }

  /** All take their places in the lines, once they have their sessions. */
  begin(): void {
    for (const agent of this.#agents.values()) {
      const before = agent.row;
      this.#show(agent);
      this.#options.draft.agentChanged(agent, before);
      if (isReady(agent)) { for (const line of this.#linesOf.get(agent.id) ?? []) line.addReady(agent); }
    }
  }

  #show(agent: Agent): void {
    const shown = shownPresence(agent);
    if (shown !== agent.row.shown) {
      agent.row = { ...agent.row, shown, shown_since_ms: this.#options.now() };
    }
  }

  #add(row: DispatchAgentRow): Agent {
    const id = row.extension_id;
    const agent = { id, row, ...this.#settingsOf(id), sessions: new Set<never>() };
    this.#agents.set(id, agent);
    return agent;
  }

  #settingsOf(id: string): Pick<Agent, "capacity" | "skills"> {
    const { agents, overall } = this.#settings;
    const settings = agents.get(id);
    return {
      capacity: settings?.capacity ?? overall.agentCapacity ?? Infinity,
      skills: settings?.skills ?? {},
    };
  }
}
