/**
 * Who is on duty: what agents say of themselves, and whether they are there at all. One whose last event stream has ended
 * is gone when a grace is over.
 *
 * @module
 */
import type { Agent } from "./at_work.ts";
import { Connections } from "./connections.ts";
import type { DispatchEntry, PresenceEntry } from "./entry.ts";
import type { DispatchAgentRow } from "./records.ts";
import type { Roster } from "./roster.ts";

/** What {@link Attendance} waits for. */
export type AttendanceDue =
  /** The grace of an agent. */
  | { readonly kind: "agent"; readonly id: string }
  /** The next report of a process that serves event streams. */
  | { readonly kind: "member"; readonly id: string };

export interface AttendanceOptions {
  readonly roster: Roster;
  /** Tells {@link Attendance.pass} when its time has come; null: never. */
  readonly setTimer: (key: string, due: AttendanceDue, dueMs: number | null) => void;
  readonly now: () => number;
  readonly graceSeconds: () => number;
  /** An agent has said something, or is gone: what it must not keep is to be taken from it. */
  readonly onChange: (agent: Agent) => void;
}

export class Attendance {
  readonly #options: AttendanceOptions;
  readonly #connections: Connections;

  constructor(agents: readonly DispatchAgentRow[], options: AttendanceOptions) {
    this.#options = options;
    this.#connections = new Connections(agents);
  }

  /** Before every entry: the silence of processes that were remembered begins with the first one. */
  begin(): void {
    for (const member of this.#connections.unheard()) this.#hear(member);
  }

  /** What an agent says; nothing where a later word is known. */
  say(entry: PresenceEntry): void {
    const agent = this.#options.roster.agent(entry.extensionId);
    if (entry.at < agent.row.set_ms) return;
    const { presence, at, by } = entry;
    const reason = entry.reason ?? null;
    this.#options.roster.change(agent, () => {
      // An agent who says something is there, whatever became of a stream.
      agent.row = {
        ...agent.row,
        presence,
        reason,
        set_by: by,
        set_ms: at,
        gone: false,
        lost_ms: presence === "offline" ? agent.row.lost_ms : null,
      };
    });
    this.setGrace(agent);
    this.#options.onChange(agent);
  }

  /** What a process says of the event streams that it serves. */
  report(report: Extract<DispatchEntry, { kind: "connections" }>): void {
    const changed = this.#connections.hear(report);
    if (changed === null) return;
    for (const id of changed) this.#connected(id);
    this.#hear(report.member);
  }

  /** Sets the time when the agent is gone, if it has no stream. */
  setGrace({ id, row }: Agent): void {
    const { graceSeconds, setTimer } = this.#options;
    const dueMs = row.lost_ms === null || row.gone ? null : row.lost_ms + graceSeconds() * 1_000;
    setTimer(`agent ${id}`, { kind: "agent", id }, dueMs);
  }

  /** The time has come. */
  pass({ kind, id }: AttendanceDue): void {
    if (kind === "member") {
      for (const agent of this.#connections.silence(id)) this.#connected(agent);
      return;
    }
    const agent = this.#options.roster.agent(id);
    this.#options.roster.change(agent, () => agent.row = { ...agent.row, gone: true });
    this.#options.onChange(agent);
  }

  #connected(extensionId: string): void {
    const { roster, now } = this.#options;
    const agent = roster.agent(extensionId);
    const members = this.#connections.membersOf(extensionId);
    roster.change(agent, () => {
      agent.row = members.length === 0
        ? { ...agent.row, members, lost_ms: now() }
        : { ...agent.row, members, lost_ms: null, gone: false };
    });
    this.setGrace(agent);
  }

  #hear(member: string): void {
    const { now, setTimer } = this.#options;
    setTimer(`member ${member}`, { kind: "member", id: member }, this.#connections.heard(member, now()));
  }
}
