/**
 * What the dispatcher decided and changed, until it is taken away to be stored and told.
 *
 * @module
 */
import type { CommandReply } from "../entry.ts";
import type { Agent, Session } from "./at_work.ts";
import type { ClaimEntry } from "./entry.ts";
import type {
  DispatchClaim,
  DispatchCommand,
  DispatchNotice,
  DispatchOrder,
  Outcome,
  PresenceChange,
} from "./outcome.ts";
import type { DispatchAgentRow, DispatchQueueRow, DispatchSessionRow } from "./records.ts";
import type { WaitingLine } from "./waiting_line.ts";

/** Rows to be written, and sessions to be forgotten. */
export interface Changes {
  readonly sessions: readonly DispatchSessionRow[];
  readonly forgotten: readonly string[];
  readonly agents: readonly DispatchAgentRow[];
  readonly queues: readonly DispatchQueueRow[];
}

export class DispatchDraft {
  readonly #sessions = new Set<string>();
  readonly #agents = new Set<string>();
  readonly #lines = new Set<string>();
  #atMs = 0;
  #orders: DispatchOrder[] = [];
  #notices: DispatchNotice[] = [];
  #claims: DispatchClaim[] = [];
  #replies: { to: string; body: CommandReply }[] = [];
  #presence = new Map<string, PresenceChange>();
  #served = 0;

  begin(atMs: number): void {
    this.#atMs = atMs;
  }

  /** What the entry caused. */
  end(): Outcome {
    const outcome = {
      atMs: this.#atMs,
      orders: this.#orders,
      notices: this.#notices,
      claims: this.#claims,
      replies: this.#replies,
      presence: this.#presence.size === 0 ? NONE : [...this.#presence.values()],
      served: this.#served,
    };
    this.#orders = [];
    this.#notices = [];
    this.#claims = [];
    this.#replies = [];
    this.#presence = new Map();
    this.#served = 0;
    return outcome;
  }

  order({ id, number, contact, version }: DispatchSessionRow, command: DispatchCommand): void {
    const key = `dispatch:${command.kind}:${id}:${version}:${this.#atMs}`;
    this.#orders.push({ number, contact, key, command });
  }

  notice({ id, number, contact, version }: DispatchSessionRow, command: DispatchNotice["command"]): void {
    const key = `dispatch:${command.text}:${id}:${version}:${this.#atMs}`;
    this.#notices.push({ number, contact, key, command });
  }

  claim({ key, sessionId, extensionId, replyTo }: ClaimEntry, { number, contact }: DispatchSessionRow): void {
    this.#claims.push({
      number,
      contact,
      key,
      sessionId,
      extensionId,
      ...(replyTo === undefined ? {} : { replyTo }),
    });
  }

  reply(to: string, body: CommandReply): void {
    this.#replies.push({ to, body });
  }

  sessionChanged(id: string): void {
    this.#sessions.add(id);
  }

  /** Somebody took a session out of the line. */
  lineServed(id: string): void {
    this.#served++;
    this.#lines.add(id);
  }

  /** The agent's row is another one than `before`. */
  agentChanged({ id, row }: Agent, before: DispatchAgentRow): void {
    if (row === before) return;
    this.#agents.add(id);
    const { shown, reason, set_by } = row;
    if (shown === before.shown && reason === before.reason) return;
    this.#presence.set(id, { extensionId: id, presence: shown, reason, by: set_by });
  }

  takeChanges(
    sessions: ReadonlyMap<string, Session>,
    agents: ReadonlyMap<string, Agent>,
    lines: ReadonlyMap<string, WaitingLine>,
  ): Changes {
    const ids = [...this.#sessions];
    const changes = {
      sessions: ids.flatMap((id) => sessions.get(id)?.row ?? []),
      forgotten: ids.filter((id) => !sessions.has(id)),
      agents: [...this.#agents].flatMap((id) => agents.get(id)?.row ?? []),
      queues: [...this.#lines].flatMap((id) => {
        const line = lines.get(id);
        return line === undefined ? [] : [{ queue_id: id, ...line.drain }];
      }),
    };
    this.#sessions.clear();
    this.#agents.clear();
    this.#lines.clear();
    return changes;
  }
}

const NONE: readonly PresenceChange[] = [];
