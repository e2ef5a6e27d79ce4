/**
 * The dispatcher: who is offered which waiting session. One actor for all queues.
 *
 * It is a function of what was loaded, the settings and the entries: no clock, nothing random. It keeps indices and
 * changes them in place, since at 50,000 waiting sessions nothing else is fast enough.
 *
 * It asks and the conversations decide. What it asks of a session (`pending`) keeps the agent's room until the next fact
 * about that session says what came of it; when none comes in time, it is decided anew. Every command names the
 * version of the session that was judged, so that one that comes too late changes nothing.
 *
 * After every entry this holds: no session waits that somebody with room, who fits, could have. Only what an entry
 * touched is looked at for that: giving a session away can never make another one possible.
 *
 * @module
 */
import {
  type Agent,
  hasRoom,
  holderOf,
  inLineOrder,
  isInLine,
  isInUse,
  isOffline,
  type Session,
} from "./at_work.ts";
import { Attendance, type AttendanceDue } from "./attendance.ts";
import type { ClaimEntry, DispatchEntry, SessionFact } from "./entry.ts";
import { estimatedWaitMs } from "./drain.ts";
import { type Changes, DispatchDraft } from "./draft.ts";
import type { Outcome } from "./outcome.ts";
import { type DispatchSessionRow, type DispatchState, type Pending, sessionRow } from "./records.ts";
import { requirementAfter } from "./requirement.ts";
import type { DispatchSettings } from "./snapshot.ts";
import { Timers } from "./timers.ts";
import { giveOut } from "./give_out.ts";
import { Roster } from "./roster.ts";
import { type Match, WaitingLine } from "./waiting_line.ts";

/** A conversation answers within milliseconds; after this, what was asked of it counts as lost. */
const ANSWER_MS_MAX = 30_000;

type Due = AttendanceDue | { readonly kind: "session"; readonly id: string };

/** Whether people have nothing to do with it any more. */
function isOver({ state, queueId, extensionId }: SessionFact): boolean {
  return state === "closed" || state === "platform" || (queueId === null && extensionId === null);
}

export class Dispatcher {
  readonly #sessions = new Map<string, Session>();
  readonly #timers = new Timers<Due>();
  readonly #attendance: Attendance;
  readonly #roster: Roster;
  readonly #draft = new DispatchDraft();
  #settings: DispatchSettings;
  #lines = new Map<string, WaitingLine>();
  #inUse = 0;
  #turns: number;
  #nowMs = 0;
  #dirty = new Set<WaitingLine>();
  /** Has just come to its queue. */
  #arrived: Session | null = null;

  constructor(state: DispatchState, settings: DispatchSettings) {
    this.#settings = settings;
    this.#roster = new Roster(state.agents, settings, {
      draft: this.#draft,
      now: () => this.#nowMs,
      onReady: (line) => this.#dirty.add(line),
    });
    this.#turns = state.agents.reduce((most, { turn }) => Math.max(most, turn), 0);
    for (const row of state.sessions) this.#sessions.set(row.id, { row, requirement: null, agent: null });
    this.#attendance = new Attendance(state.agents, {
      roster: this.#roster,
      setTimer: (key, due, dueMs) => this.#timers.set(key, due, dueMs),
      now: () => this.#nowMs,
      graceSeconds: () => this.#settings.overall.graceSeconds,
      onChange: (agent) => this.#leaveSessions(agent),
    });
    this.#index(new Map(state.queues.map((row) => [row.queue_id, row])));
  }

  /** When something is due by itself, ms since 1970; null: never. */
  get nextDueMs(): number | null {
    return this.#timers.nextMs;
  }

  get lines(): ReadonlyMap<string, WaitingLine> {
    return this.#lines;
  }

  get agents(): ReadonlyMap<string, Agent> {
    return this.#roster.agents;
  }

  get sessions(): ReadonlyMap<string, Session> {
    return this.#sessions;
  }

  /** Works by other settings from the next entry on. */
  configure(settings: DispatchSettings): void {
    if (settings.key === this.#settings.key) return;
    this.#settings = settings;
    this.#index(new Map([...this.#lines.values()].map(({ id, drain }) => [id, drain])));
  }

  /** Applies one entry; entries come in the order of the log. */
  apply(entry: DispatchEntry): Outcome {
    this.#nowMs = Math.max(this.#nowMs, entry.at);
    this.#draft.begin(this.#nowMs);
    this.#attendance.begin();
    this.#take(entry);
    for (const due of this.#timers.due(this.#nowMs)) this.#pass(due);
    this.#giveOut();
    this.#greetArrived();
    return this.#draft.end();
  }

  /** What the entries since the last call changed, to be stored. */
  takeChanges(): Changes {
    return this.#draft.takeChanges(this.#sessions, this.agents, this.#lines);
  }

  #take(entry: DispatchEntry): void {
    switch (entry.kind) {
      case "session":
        return this.#applyFact(entry);
      case "presence":
        this.#attendance.say(entry);
        if (entry.replyTo !== undefined) this.#draft.reply(entry.replyTo, { ok: true });
        return;
      case "connections":
        return this.#attendance.report(entry);
      case "claim":
        return this.#applyClaim(entry);
      case "tick":
        return;
    }
  }

  // What happens to sessions.

  #applyFact(fact: SessionFact): void {
    const known = this.#sessions.get(fact.sessionId);
    if (known !== undefined && fact.version <= known.row.version) return;
    const before = known?.row;
    if (isOver(fact)) {
      if (known !== undefined) this.#forget(known);
      return;
    }
    const next = sessionRow(fact);
    const session: Session = known ?? { row: next, requirement: null, agent: null };
    this.#sessions.set(next.id, session);
    if (next.state === "waiting" && before?.queue_id !== next.queue_id) this.#arrived = session;
    if (next.state === "active" && before?.queue_id === next.queue_id && before.state !== "active") {
      this.#serve(next.queue_id);
    }
    this.#move(session, known === undefined ? null : before!, next);
    this.#review(session);
    // The agent left while the offer was on its way, and it counted as taken.
    if (before?.pending?.kind === "offer") this.#handOn(session);
  }

  /** Tells whoever has come to a line, and was not given away at once, the place in it or that there is none. */
  #greetArrived(): void {
    const session = this.#arrived;
    this.#arrived = null;
    if (session === null || !isInLine(session.row)) return;
    const { row } = session;
    const line = this.#lines.get(row.queue_id ?? "");
    if (line === undefined) return;
    const about = { kind: "say", sessionId: row.id, queueId: line.id } as const;
    const { maxWaiting } = line.settings;
    if (maxWaiting !== null && line.waiting > maxWaiting) {
      return this.#draft.notice(row, { ...about, text: "queue-full", close: true });
    }
    if (this.#settings.queues.get(line.id)?.tellsWaiting !== true) return;
    const position = line.positionOf(session);
    const waitMs = estimatedWaitMs(line.drain, position, this.#nowMs);
    const wait = waitMs === null ? {} : { waitSeconds: waitMs / 1_000 };
    this.#draft.notice(row, { ...about, text: "waiting", position, ...wait });
  }

  #serve(queueId: string | null): void {
    const line = this.#lines.get(queueId ?? "");
    if (line === undefined) return;
    line.served(this.#nowMs);
    this.#draft.lineServed(line.id);
  }

  #forget(session: Session): void {
    this.#sessions.delete(session.row.id);
    this.#move(session, session.row, null);
  }

  /** Takes the session out of the indices as `before` says and puts it in as `next` says. */
  #move(session: Session, before: DispatchSessionRow | null, next: DispatchSessionRow | null): void {
    if (before !== null) this.#leave(session, before);
    const holder = next === null ? null : holderOf(next);
    const former = session.agent;
    if (former !== null && former.id !== holder) {
      session.agent = null;
      this.#roster.change(former, () => former.sessions.delete(session), true);
    }
    const { id } = before ?? next!;
    this.#draft.sessionChanged(id);
    if (next === null) return this.#timers.set(id, { kind: "session", id }, null);
    session.row = next;
    if (holder !== null && session.agent === null) {
      const agent = this.#roster.agent(holder);
      session.agent = agent;
      this.#roster.change(agent, () => agent.sessions.add(session), true);
    }
    this.#enter(session);
  }

  #leave(session: Session, { queue_id, ...row }: DispatchSessionRow): void {
    const line = this.#lines.get(queue_id ?? "");
    line?.remove(session);
    if (!isInUse({ ...row, queue_id })) return;
    const { capacity } = this.#settings.overall;
    if (capacity !== null && this.#inUse >= capacity) this.#lines.forEach((other) => this.#dirty.add(other));
    this.#inUse--;
    if (line === undefined) return;
    line.inUse--;
    if (line.settings.capacity !== null) this.#dirty.add(line);
  }

  /** Puts the session where its row says; whom it counts against is settled. */
  #enter(session: Session): void {
    const { row } = session;
    const line = this.#lines.get(row.queue_id ?? "");
    if (isInUse(row)) {
      this.#inUse++;
      if (line !== undefined) line.inUse++;
    }
    let dueMs = this.#dueOf(session);
    if (isInLine(row) && line !== undefined) {
      const waitedMs = this.#nowMs - row.waiting_since_ms;
      const { requirement, nextMs } = requirementAfter(line.settings, row.skills ?? undefined, waitedMs);
      session.requirement = requirement;
      if (line.waiting === 0) line.begin(this.#nowMs);
      line.add(session);
      this.#dirty.add(line);
      dueMs = nextMs === null ? null : row.waiting_since_ms + nextMs;
    }
    this.#timers.set(row.id, { kind: "session", id: row.id }, dueMs);
  }

  /** When a session that is in no line is looked at again. */
  #dueOf({ row }: Session): number | null {
    if (row.pending !== null) return row.pending.untilMs;
    if (row.state === "offered") return row.offer_until_ms;
    if (row.state === "wrap-up") return row.wrap_until_ms;
    const ignoredSeconds = this.#lines.get(row.queue_id ?? "")?.settings.ignoredSeconds ?? null;
    return row.state !== "active" || row.unanswered_since_ms === null || ignoredSeconds === null
      ? null
      : row.unanswered_since_ms + ignoredSeconds * 1_000;
  }

  /** Something is asked of the session's conversation; whoever is to have it keeps the room until the answer. */
  #await(session: Session, kind: Pending["kind"], extensionId: string | null): void {
    const { row } = session;
    this.#move(session, row, {
      ...row,
      pending: { kind, extensionId, untilMs: this.#nowMs + ANSWER_MS_MAX },
    });
  }

  /** Asks for what is due of a session by itself. */
  #review(session: Session): void {
    const { row } = session;
    if (row.pending !== null) return;
    const { id: sessionId, version } = row;
    const dueMs = this.#dueOf(session);
    const isDue = dueMs !== null && dueMs <= this.#nowMs;
    if (
      row.state === "offered" && (isDue || session.agent?.row.presence !== "free" || session.agent.row.gone)
    ) {
      this.#order(session, { kind: "offer-expired", sessionId, version });
    } else if (row.state === "wrap-up" && isDue) {
      this.#order(session, { kind: "wrap-up-over", sessionId, version });
    } else if (row.state === "active" && isDue) {
      this.#order(session, { kind: "take-back", sessionId, version, reason: "ignored" });
    }
  }

  #order(session: Session, command: Parameters<DispatchDraft["order"]>[1]): void {
    this.#draft.order(session.row, command);
    this.#await(
      session,
      command.kind,
      command.kind === "offer" ? command.extensionId : holderOf(session.row),
    );
  }

  /** Takes an active session from an agent who is gone, where the queue says so. */
  #handOn(session: Session): void {
    const { row, agent } = session;
    const rule = this.#lines.get(row.queue_id ?? "")?.settings.onAgentGone ?? "keep";
    if (
      row.state !== "active" || row.pending !== null || rule === "keep" || agent === null || !isOffline(agent)
    ) return;
    const command = { kind: "take-back", sessionId: row.id, version: row.version, reason: "gone" } as const;
    this.#order(session, rule === "close" ? { ...command, close: true } : command);
  }

  /** What an agent who is not to get any, or who is gone, must not keep. */
  #leaveSessions(agent: Agent): void {
    for (const session of [...agent.sessions].sort(inLineOrder)) {
      this.#review(session);
      this.#handOn(session);
    }
  }

  #applyClaim(entry: ClaimEntry): void {
    const { sessionId, extensionId, replyTo } = entry;
    const session = this.#sessions.get(sessionId);
    const refuse = (code: string, detail: string) =>
      replyTo === undefined
        ? undefined
        : this.#draft.reply(replyTo, { ok: false, status: 409, code, detail });
    if (session === undefined) return refuse("not-waiting", `session ${sessionId} does not wait for anybody`);
    const { row } = session;
    if (isInLine(row)) {
      const line = this.#lines.get(row.queue_id ?? "");
      const { capacity } = this.#settings.overall;
      if (!hasRoom(this.#roster.agent(extensionId))) {
        return refuse("no-room", "the agent has as many sessions as allowed");
      }
      if (line !== undefined && line.inUse >= (line.settings.capacity ?? Infinity)) {
        return refuse("no-room", `queue ${line.id} has as many sessions as allowed`);
      }
      if (capacity !== null && this.#inUse >= capacity) {
        return refuse("no-room", "there are as many sessions as allowed");
      }
      this.#await(session, "claim", extensionId);
    }
    this.#draft.claim(entry, row);
  }

  // What is due.

  #pass(due: Due): void {
    if (due.kind !== "session") return this.#attendance.pass(due);
    const session = this.#sessions.get(due.id)!;
    const { pending } = session.row;
    if (pending !== null || isInLine(session.row)) {
      // Nothing was heard of what was asked; or it asks for less from now on.
      this.#move(session, session.row, { ...session.row, pending: null });
    }
    this.#review(session);
    if (pending?.kind === "take-back") this.#handOn(session);
  }

  // Who gets what.

  #giveOut(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const capacity = this.#settings.overall.capacity ?? Infinity;
    giveOut(dirty, () => this.#inUse < capacity, (match, line) => this.#offer(match, line));
    // Giving away makes nothing possible that was not.
    this.#dirty.clear();
  }

  #offer({ session, agent }: Match, { settings }: WaitingLine): void {
    const { id: sessionId, version } = session.row;
    this.#roster.change(agent, () => agent.row = { ...agent.row, turn: ++this.#turns });
    this.#order(session, {
      kind: "offer",
      sessionId,
      extensionId: agent.id,
      untilMs: this.#nowMs + settings.offerSeconds * 1_000,
      version,
      ...(settings.autoAccept ? { autoAccept: true as const } : {}),
    });
  }

  /** Makes all indices anew. */
  #index(drains: ReadonlyMap<string, WaitingLine["drain"]>): void {
    const { queues } = this.#settings;
    this.#lines = new Map(
      [...queues].map(([id, { settings, members }]) => [
        id,
        new WaitingLine(id, settings, members, drains.get(id) ?? { drain_ms: null, drain_since_ms: 0 }),
      ]),
    );
    this.#roster.configure(this.#settings, this.#lines.values());
    for (const agent of this.agents.values()) this.#attendance.setGrace(agent);
    this.#inUse = 0;
    for (const session of this.#sessions.values()) {
      const holder = holderOf(session.row);
      session.agent = holder === null ? null : this.#roster.agent(holder);
      session.agent?.sessions.add(session);
      this.#enter(session);
    }
    this.#roster.begin();
    this.#dirty = new Set(this.#lines.values());
  }
}
