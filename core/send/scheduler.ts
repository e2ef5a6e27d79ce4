/**
 * The part of a channel's send queue that is in memory: decides which message goes next.
 *
 * A *line* is what waits of one conversation, by position. Its head alone may go, one at a time; the next one
 * moves up when the head has ended. A line is as urgent as its most urgent message, so that a reply does not
 * wait behind its own conversation's bulk messages: it pulls them forward. A head that waits for its next try
 * holds up its line and nobody else's.
 *
 * A *group* holds the lines of one of our numbers. When the number's own limit is reached the whole group is
 * parked, at the cost of one operation whatever its length.
 *
 * A message with a later start joins its line when that comes; until then it holds up nobody.
 *
 * All times are ms on the caller's monotonic clock. Everything is bounded: what finds no room stays in the
 * database, and {@link overflowed} remembers that.
 *
 * @module
 */
import { PRIORITY, type Priority } from "../message.ts";
import { Heap } from "./heap.ts";
import type { QueuedMessage } from "./queued_message.ts";
import { type Entry, type Group, type Line, ReadyLines, type Timer } from "./ready_lines.ts";

export interface SchedulerLimits {
  /** Messages in memory at most, by priority. */
  readonly messagesMax: readonly [reply: number, bulk: number];
  /** Messages that may be added beyond it because others in memory wait for them. */
  readonly reserveMax: number;
  /** What starts later than this from now stays in the database, ms. */
  readonly aheadMs: number;
}

/** @default bounds of one channel's memory, about 2 MB of short texts */
export const SCHEDULER_LIMITS: SchedulerLimits = {
  messagesMax: [1_000, 3_000],
  reserveMax: 500,
  aheadMs: 10_000,
};

/** When a message may go, on the caller's clock; 0: at once. */
export interface Times {
  /** The start its author asked for. */
  readonly startMs: number;
  /** The next try after a failure. */
  readonly retryMs: number;
}

/** `known`: it is here already. `full` and `later`: it stays in the database. */
export type Offered = "added" | "known" | "full" | "later";

/**
 * Whether a message may go: `number` closes its number's group until the time, for messages that are as urgent or
 * less; `channel` closes everything.
 */
export type Admission =
  | { readonly kind: "go" }
  | { readonly kind: "number"; readonly untilMs: number }
  | { readonly kind: "channel" };

/** Nothing is in flight any more; an earlier message that came meanwhile is the head now. */
function land(line: Line): void {
  line.inFlight = false;
  line.entries.sort((a, b) => a.message.position - b.message.position);
}

export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #lines = new Map<string, Line>();
  readonly #ready = new ReadyLines();
  readonly #timers = new Heap<Timer>((a, b) => a.dueMs < b.dueMs);
  readonly #counts: [number, number] = [0, 0];
  readonly #overflowed: [boolean, boolean] = [false, false];

  constructor(limits: SchedulerLimits = SCHEDULER_LIMITS) {
    this.#limits = limits;
  }

  /** Messages in memory, those in flight included. */
  get size(): number {
    return this.#entries.size;
  }

  /** Ids in memory. */
  ids(): IterableIterator<string> {
    return this.#entries.keys();
  }

  count(priority: Priority): number {
    return this.#counts[priority];
  }

  /** How many more of that priority find room. */
  room(priority: Priority): number {
    return Math.max(0, this.#limits.messagesMax[priority] - this.#counts[priority]);
  }

  /** Whether more of that priority may be in the database than in memory. */
  overflowed(priority: Priority): boolean {
    return this.#overflowed[priority];
  }

  setOverflowed(priority: Priority, overflowed: boolean): void {
    this.#overflowed[priority] = overflowed;
  }

  /** Takes a message in. `needed`: others in memory wait for it, so it may use the reserve and may be due late. */
  offer(message: QueuedMessage, times: Times, nowMs: number, needed = false): Offered {
    if (this.#entries.has(message.id)) return "known";
    const limitMs = nowMs + this.#limits.aheadMs;
    if (times.startMs > limitMs || (times.retryMs > limitMs && !needed)) return "later";
    const { priority } = message;
    const max = this.#limits.messagesMax[priority] + (needed ? this.#limits.reserveMax : 0);
    if (this.#counts[priority] >= max) {
      this.#overflowed[priority] = true;
      return "full";
    }
    const entry: Entry = { message, retryMs: times.retryMs };
    this.#entries.set(message.id, entry);
    this.#counts[priority]++;
    if (times.startMs > nowMs) {
      this.#timers.push({ dueMs: times.startMs, run: (now) => this.#join(entry, now) });
    } else this.#join(entry, nowMs);
    return "added";
  }

  /**
   * The next message to go, now in flight; null when none may. `admit` is asked about each candidate, with the
   * priority that its line has; the one it says `go` to is returned.
   */
  take(
    nowMs: number,
    admit: (message: QueuedMessage, priority: Priority) => Admission,
  ): QueuedMessage | null {
    this.#advance(nowMs);
    for (;;) {
      const line = this.#ready.peek();
      if (line === undefined) return null;
      const { message } = line.entries[0]!;
      const admission = admit(message, line.priority);
      if (admission.kind === "channel") return null;
      if (admission.kind === "number") {
        this.#park(line.group, line.priority, admission.untilMs);
        continue;
      }
      this.#unplace(line);
      line.inFlight = true;
      return message;
    }
  }

  /** A message that may go first in its conversation, whatever it waits for, and fits `test`: now in flight. */
  takeWhere(test: (message: QueuedMessage) => boolean): QueuedMessage | null {
    for (const line of this.#lines.values()) {
      const head = line.entries[0];
      if (line.inFlight || head === undefined || !test(head.message)) continue;
      this.#unplace(line);
      line.inFlight = true;
      return head.message;
    }
    return null;
  }

  /** When {@link take} may find something that it does not find now; Infinity: not by waiting. */
  nextDueMs(): number {
    return this.#timers.peek()?.dueMs ?? Infinity;
  }

  /** The message has ended, or is somebody else's: the next of its conversation moves up. */
  done(id: string, nowMs: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#forget(entry);
    const line = this.#lines.get(entry.message.conversation_id);
    const index = line?.entries.indexOf(entry) ?? -1;
    if (line === undefined || index < 0) return;
    this.#unplace(line);
    if (index === 0) line.inFlight = false;
    line.entries.splice(index, 1);
    this.#place(line, nowMs);
  }

  /** The message in flight is to go again, not before `atMs`; `message` is what is known of it now. */
  retry(message: QueuedMessage, atMs: number, nowMs: number): void {
    const entry = this.#entries.get(message.id);
    const line = this.#lines.get(message.conversation_id);
    if (entry === undefined || line === undefined) return;
    this.#unplace(line);
    entry.message = message;
    entry.retryMs = atMs;
    land(line);
    if (atMs > nowMs + this.#limits.aheadMs) this.#evict(line);
    this.#place(line, nowMs);
  }

  /**
   * The message in flight may not go yet because of an earlier one of its conversation that is not here: its
   * line pauses until then, or until the earlier one is offered.
   */
  pause(id: string, untilMs: number, nowMs: number): void {
    const conversation = this.#entries.get(id)?.message.conversation_id;
    const line = conversation === undefined ? undefined : this.#lines.get(conversation);
    if (line === undefined) return;
    this.#unplace(line);
    land(line);
    line.pausedMs = line.entries[0]?.message.id === id ? untilMs : 0;
    this.#place(line, nowMs);
  }

  /** Opens the groups that {@link take} parked: a limit has changed. */
  reopen(): void {
    this.#ready.unparkAll();
  }

  #park(group: Group, from: Priority, untilMs: number): void {
    this.#ready.park(group, from);
    this.#timers.push({ dueMs: untilMs, run: () => this.#ready.unpark(group, from) });
  }

  #advance(nowMs: number): void {
    for (
      let timer = this.#timers.peek();
      timer !== undefined && timer.dueMs <= nowMs;
      timer = this.#timers.peek()
    ) {
      this.#timers.pop();
      timer.run(nowMs);
    }
  }

  /** A pause too long to keep in memory: the sweep brings the messages back when they are due. */
  #evict(line: Line): void {
    for (const entry of line.entries) {
      this.#overflowed[entry.message.priority] = true;
      this.#forget(entry);
    }
    line.entries.length = 0;
  }

  #forget(entry: Entry): void {
    if (this.#entries.delete(entry.message.id)) this.#counts[entry.message.priority]--;
  }

  #join(entry: Entry, nowMs: number): void {
    const { id, conversation_id, number_id, position } = entry.message;
    if (this.#entries.get(id) !== entry) return;
    const line = this.#lines.get(conversation_id) ?? this.#newLine(conversation_id, number_id);
    this.#unplace(line);
    // What is in flight stays the head: it is on its way.
    const first = line.inFlight ? 1 : 0;
    let at = line.entries.length;
    while (at > first && line.entries[at - 1]!.message.position > position) at--;
    line.entries.splice(at, 0, entry);
    if (at === 0) line.pausedMs = 0;
    this.#place(line, nowMs);
  }

  #newLine(conversation: string, number: string): Line {
    const line: Line = {
      conversation,
      group: this.#ready.join(number),
      entries: [],
      inFlight: false,
      pausedMs: 0,
      priority: PRIORITY.bulk,
      timer: null,
    };
    this.#lines.set(conversation, line);
    return line;
  }

  /** Takes a line out of the ready ones and stops its timer: before anything about it changes. */
  #unplace(line: Line): void {
    if (line.timer !== null) this.#timers.remove(line.timer);
    line.timer = null;
    this.#ready.remove(line);
  }

  /** Puts a line where it belongs now; an empty one goes. */
  #place(line: Line, nowMs: number): void {
    const head = line.entries[0];
    if (head === undefined) {
      this.#lines.delete(line.conversation);
      this.#ready.leave(line.group);
      return;
    }
    if (line.inFlight) return;
    const dueMs = Math.max(head.retryMs, line.pausedMs);
    if (dueMs > nowMs) {
      line.timer = { dueMs, run: (now) => this.#wake(line, now) };
      this.#timers.push(line.timer);
      return;
    }
    line.priority = line.entries.some((entry) => entry.message.priority === PRIORITY.reply)
      ? PRIORITY.reply
      : PRIORITY.bulk;
    this.#ready.push(line);
  }

  #wake(line: Line, nowMs: number): void {
    line.timer = null;
    this.#place(line, nowMs);
  }
}
