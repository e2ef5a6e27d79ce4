/**
 * The dispatcher as one would write it without a thought of speed: everything is looked for anew each time. The model that
 * the real one is compared with.
 */
import type { ConnectionsEntry } from "./world.ts";
import type { ClaimEntry, DispatchEntry, PresenceEntry, SessionFact } from "../../core/dispatch/entry.ts";
import type { DispatchCommand } from "../../core/dispatch/outcome.ts";
import { fits, mastery, requirementAfter } from "../../core/dispatch/requirement.ts";
import type { DispatchSettings } from "../../core/dispatch/snapshot.ts";

export interface NaiveSession {
  fact: SessionFact;
  asked: { kind: string; extensionId: string | null; untilMs: number } | null;
  /** What it asked for when it was last looked at. */
  askedAtMs: number;
}

export interface NaiveAgent {
  id: string;
  presence: "offline" | "free" | "busy" | "paused";
  setMs: number;
  members: string[];
  lostMs: number | null;
  gone: boolean;
  idleMs: number;
  turn: number;
}

const ANSWER_MS = 30_000;
const SILENT_MS = 15_000;

export class NaiveDispatcher {
  sessions: NaiveSession[] = [];
  agents: NaiveAgent[] = [];
  heardMs = new Map<string, number>();
  nowMs = 0;
  turns = 0;
  settings: DispatchSettings;
  orders: DispatchCommand[] = [];

  constructor(settings: DispatchSettings) {
    this.settings = settings;
  }

  apply(entry: DispatchEntry): DispatchCommand[] {
    this.orders = [];
    this.nowMs = Math.max(this.nowMs, entry.at);
    if (entry.kind === "session") this.#fact(entry);
    if (entry.kind === "presence") this.#presence(entry);
    if (entry.kind === "connections") this.#connections(entry);
    if (entry.kind === "claim") this.#claim(entry);
    for (let due = this.#firstDue(); due !== null; due = this.#firstDue()) due.run();
    for (let match = this.#bestMatch(); match !== null; match = this.#bestMatch()) this.#offer(match);
    return this.orders;
  }

  configure(settings: DispatchSettings): void {
    if (settings.key === this.settings.key) return;
    this.settings = settings;
    for (const session of this.sessions) session.askedAtMs = this.nowMs;
  }

  /** After a restart: the silence of processes begins anew. */
  reload(): void {
    this.heardMs.clear();
    this.nowMs = 0;
  }

  // How things stand.

  agent(id: string): NaiveAgent {
    let agent = this.agents.find((other) => other.id === id);
    if (agent === undefined) {
      agent = {
        id,
        presence: "offline",
        setMs: 0,
        members: [],
        lostMs: null,
        gone: false,
        idleMs: 0,
        turn: 0,
      };
      this.agents.push(agent);
    }
    return agent;
  }

  holder({ fact, asked }: NaiveSession): string | null {
    if (fact.state === "waiting") return asked?.extensionId ?? null;
    return fact.state === "offered" ? fact.offeredTo : fact.extensionId;
  }

  load(id: string): number {
    return this.sessions.filter((session) => this.holder(session) === id).length;
  }

  capacity(id: string): number {
    return this.settings.agents.get(id)?.capacity ?? this.settings.overall.agentCapacity ?? Infinity;
  }

  isOffline(agent: NaiveAgent): boolean {
    return agent.gone || agent.presence === "offline";
  }

  isReady(agent: NaiveAgent): boolean {
    return agent.presence === "free" && !agent.gone && this.load(agent.id) < this.capacity(agent.id);
  }

  shown(agent: NaiveAgent): string {
    if (this.isOffline(agent)) return "offline";
    return agent.presence === "free" && !this.isReady(agent) ? "busy" : agent.presence;
  }

  inLine({ fact, asked }: NaiveSession): boolean {
    return fact.state === "waiting" && fact.queueId !== null && asked === null;
  }

  inUse(queueId?: string): number {
    return this.sessions.filter(({ fact, asked }) =>
      fact.queueId !== null && (queueId === undefined || fact.queueId === queueId) &&
      (fact.state === "active" || fact.state === "offered" || (fact.state === "waiting" && asked !== null))
    ).length;
  }

  requirement({ fact, askedAtMs }: NaiveSession) {
    const { settings } = this.settings.queues.get(fact.queueId!)!;
    return requirementAfter(settings, fact.skills, askedAtMs - fact.waitingSinceMs);
  }

  /** Pairs that could be made now; the invariant says that there is none after an entry. */
  pairs(): { session: NaiveSession; agent: NaiveAgent; declined: boolean }[] {
    const { overall, queues } = this.settings;
    if (this.inUse() >= (overall.capacity ?? Infinity)) return [];
    return this.sessions.filter((session) => this.inLine(session)).flatMap((session) => {
      const queue = queues.get(session.fact.queueId!);
      if (queue === undefined || queue.settings.strategy === "pickup") return [];
      if (this.inUse(session.fact.queueId!) >= (queue.settings.capacity ?? Infinity)) return [];
      const { requirement } = this.requirement(session);
      return this.agents.filter((agent) =>
        queue.members.has(agent.id) && this.isReady(agent) &&
        fits(requirement, this.settings.agents.get(agent.id)?.skills ?? {})
      ).map((agent) => ({
        session,
        agent,
        declined: session.fact.declinedBy?.includes(agent.id) === true,
      }));
    });
  }

  // Who gets what.

  #bestMatch(): { session: NaiveSession; agent: NaiveAgent } | null {
    const pairs = this.pairs();
    const fresh = pairs.filter(({ declined }) => !declined);
    const candidates = fresh.length > 0 ? fresh : pairs;
    const [first] = candidates.map(({ session }) => session).sort((a, b) =>
      a.fact.priority - b.fact.priority || a.fact.waitingSinceMs - b.fact.waitingSinceMs ||
      (a.fact.sessionId < b.fact.sessionId ? -1 : 1)
    );
    if (first === undefined) return null;
    const { settings } = this.settings.queues.get(first.fact.queueId!)!;
    const agents = candidates.filter(({ session }) => session === first).map(({ agent }) => agent);
    const favourite = settings.sticky && agents.find(({ id }) => id === first.fact.stickyExtensionId);
    if (favourite) return { session: first, agent: favourite };
    const { requirement } = this.requirement(first);
    const rank = (agent: NaiveAgent): (number | string)[] => {
      const skill = requirement.levels.length === 0
        ? 0
        : -mastery(requirement, this.settings.agents.get(agent.id)?.skills ?? {});
      switch (settings.strategy) {
        case "longest-idle":
          return [agent.idleMs, agent.id];
        case "round-robin":
          return [agent.turn, agent.id];
        case "least-busy":
          return [this.load(agent.id), agent.idleMs, agent.id];
        case "skills":
          return [skill, agent.idleMs, agent.id];
        case "pickup":
          return [];
      }
    };
    agents.sort((a, b) => {
      const [x, y] = [rank(a), rank(b)];
      const place = x.findIndex((part, index) => part !== y[index]);
      return place < 0 ? 0 : x[place]! < y[place]! ? -1 : 1;
    });
    return { session: first, agent: agents[0]! };
  }

  #offer({ session, agent }: { session: NaiveSession; agent: NaiveAgent }): void {
    const { settings } = this.settings.queues.get(session.fact.queueId!)!;
    agent.turn = ++this.turns;
    this.#ask(session, {
      kind: "offer",
      sessionId: session.fact.sessionId,
      extensionId: agent.id,
      untilMs: this.nowMs + settings.offerSeconds * 1_000,
      version: session.fact.version,
      ...(settings.autoAccept ? { autoAccept: true } : {}),
    }, agent.id);
    agent.idleMs = this.nowMs;
  }

  #ask(session: NaiveSession, order: DispatchCommand, extensionId: string | null): void {
    this.orders.push(order);
    session.asked = { kind: order.kind, extensionId, untilMs: this.nowMs + ANSWER_MS };
  }

  // What happens.

  #fact(fact: SessionFact): void {
    const known = this.sessions.find((session) => session.fact.sessionId === fact.sessionId);
    if (known !== undefined && known.fact.version >= fact.version) return;
    const before = known === undefined ? null : this.holder(known);
    const wasOffering = known?.asked?.kind === "offer";
    const isOver = fact.state === "closed" || fact.state === "platform" ||
      (fact.queueId === null && fact.extensionId === null);
    if (isOver) {
      this.sessions = this.sessions.filter((session) => session !== known);
      if (before !== null) this.agent(before).idleMs = this.nowMs;
      return;
    }
    const session = known ?? { fact, asked: null, askedAtMs: 0 };
    if (known === undefined) this.sessions.push(session);
    session.fact = fact;
    session.asked = null;
    session.askedAtMs = this.nowMs;
    const after = this.holder(session);
    if (before !== after) {
      for (const id of [before, after]) if (id !== null) this.agent(id).idleMs = this.nowMs;
    }
    this.#review(session);
    if (wasOffering) this.#handOn(session);
  }

  #dueOf({ fact, asked }: NaiveSession): number | null {
    if (asked !== null) return asked.untilMs;
    if (fact.state === "offered") return fact.offerUntilMs;
    if (fact.state === "wrap-up") return fact.wrapUntilMs ?? null;
    const seconds = this.settings.queues.get(fact.queueId ?? "")?.settings.ignoredSeconds ?? null;
    return fact.state !== "active" || fact.unansweredSinceMs === undefined || seconds === null
      ? null
      : fact.unansweredSinceMs + seconds * 1_000;
  }

  #review(session: NaiveSession): void {
    const { fact } = session;
    if (session.asked !== null) return;
    const { sessionId, version } = fact;
    const dueMs = this.#dueOf(session);
    const isDue = dueMs !== null && dueMs <= this.nowMs;
    const holder = this.holder(session);
    if (fact.state === "offered") {
      const agent = this.agent(holder!);
      if (isDue || agent.presence !== "free" || agent.gone) {
        this.#ask(session, { kind: "offer-expired", sessionId, version }, holder);
      }
    } else if (fact.state === "wrap-up" && isDue) {
      this.#ask(session, { kind: "wrap-up-over", sessionId, version }, holder);
    } else if (fact.state === "active" && isDue) {
      this.#ask(session, { kind: "take-back", sessionId, version, reason: "ignored" }, holder);
    }
  }

  #handOn(session: NaiveSession): void {
    const { fact } = session;
    const rule = this.settings.queues.get(fact.queueId ?? "")?.settings.onAgentGone ?? "keep";
    if (fact.state !== "active" || session.asked !== null || rule === "keep" || fact.extensionId === null) {
      return;
    }
    if (!this.isOffline(this.agent(fact.extensionId))) return;
    this.#ask(session, {
      kind: "take-back",
      sessionId: fact.sessionId,
      version: fact.version,
      reason: "gone",
      ...(rule === "close" ? { close: true } : {}),
    }, fact.extensionId);
  }

  #presence({ extensionId, presence, at }: PresenceEntry): void {
    const agent = this.agent(extensionId);
    if (at < agent.setMs) return;
    agent.presence = presence;
    agent.setMs = at;
    agent.gone = false;
    if (presence !== "offline") agent.lostMs = null;
    this.#leaveSessions(agent);
  }

  #leaveSessions(agent: NaiveAgent): void {
    for (const session of this.#heldBy(agent)) {
      this.#review(session);
      this.#handOn(session);
    }
  }

  #heldBy({ id }: NaiveAgent): NaiveSession[] {
    return this.sessions.filter((session) => this.holder(session) === id).sort((a, b) =>
      a.fact.priority - b.fact.priority || a.fact.waitingSinceMs - b.fact.waitingSinceMs ||
      (a.fact.sessionId < b.fact.sessionId ? -1 : 1)
    );
  }

  #connections({ member, extensionIds, at }: ConnectionsEntry): void {
    if (at < (this.heardMs.get(member) ?? 0)) return;
    const ids = new Set([
      ...extensionIds,
      ...this.agents.filter((a) => a.members.includes(member)).map((a) => a.id),
    ]);
    for (const id of ids) {
      const agent = this.agent(id);
      const has = extensionIds.includes(id);
      if (has === agent.members.includes(member)) continue;
      agent.members = has ? [...agent.members, member] : agent.members.filter((other) => other !== member);
      agent.lostMs = agent.members.length === 0 ? this.nowMs : null;
      if (agent.members.length > 0) agent.gone = false;
    }
    if (this.agents.some(({ members }) => members.includes(member))) this.heardMs.set(member, this.nowMs);
    else this.heardMs.delete(member);
  }

  #claim({ sessionId, extensionId }: ClaimEntry): void {
    const session = this.sessions.find(({ fact }) => fact.sessionId === sessionId);
    if (session === undefined || !this.inLine(session)) return;
    const queue = this.settings.queues.get(session.fact.queueId!);
    if (this.load(extensionId) >= this.capacity(extensionId)) return;
    if (this.inUse(session.fact.queueId!) >= (queue?.settings.capacity ?? Infinity)) return;
    if (this.inUse() >= (this.settings.overall.capacity ?? Infinity)) return;
    session.asked = { kind: "claim", extensionId, untilMs: this.nowMs + ANSWER_MS };
    this.agent(extensionId).idleMs = this.nowMs;
  }

  // What is due.

  #firstDue(): { dueMs: number; key: string; run: () => void } | null {
    const due = [
      ...this.sessions.flatMap((session) => {
        const dueMs = this.inLine(session) ? this.#relaxedAt(session) : this.#dueOf(session);
        return dueMs === null
          ? []
          : [{ dueMs, key: session.fact.sessionId, run: () => this.#sessionIsDue(session) }];
      }),
      ...this.agents.flatMap((agent) =>
        agent.lostMs === null || agent.gone ? [] : [{
          dueMs: agent.lostMs + this.settings.overall.graceSeconds * 1_000,
          key: `agent ${agent.id}`,
          run: () => {
            agent.gone = true;
            this.#leaveSessions(agent);
          },
        }]
      ),
      ...[...new Set(this.agents.flatMap(({ members }) => members))].map((member) => {
        // Of a process that was not heard of since a restart the silence begins now.
        if (!this.heardMs.has(member)) this.heardMs.set(member, this.nowMs);
        return {
          dueMs: this.heardMs.get(member)! + SILENT_MS,
          key: `member ${member}`,
          run: () => {
            this.heardMs.delete(member);
            for (const agent of this.agents.filter(({ members }) => members.includes(member))) {
              agent.members = agent.members.filter((other) => other !== member);
              if (agent.members.length === 0) agent.lostMs = this.nowMs;
            }
          },
        };
      }),
    ].filter(({ dueMs }) => dueMs <= this.nowMs)
      .sort((a, b) => a.dueMs - b.dueMs || (a.key < b.key ? -1 : 1));
    return due[0] ?? null;
  }

  #relaxedAt(session: NaiveSession): number | null {
    if (!this.settings.queues.has(session.fact.queueId!)) return null;
    const { nextMs } = this.requirement(session);
    return nextMs === null ? null : session.fact.waitingSinceMs + nextMs;
  }

  #sessionIsDue(session: NaiveSession): void {
    const { asked } = session;
    if (asked !== null || this.inLine(session)) {
      const before = this.holder(session);
      session.asked = null;
      session.askedAtMs = this.nowMs;
      if (before !== null && this.holder(session) === null) this.agent(before).idleMs = this.nowMs;
    }
    this.#review(session);
    if (asked?.kind === "take-back") this.#handOn(session);
  }
}
