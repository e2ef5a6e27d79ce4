/**
 * The lines of a channel's messages that are ready to go, in the order in which they go: by priority, then by the age of
 * their heads. They stand in groups, one for each of our numbers, so that a number at its limit is parked at the cost of
 * one operation, whatever waits for it.
 *
 * @module
 */
import { PRIORITY, type Priority } from "../message.ts";
import { Heap } from "./heap.ts";
import type { QueuedMessage } from "./queued_message.ts";

/** A message in memory. */
export interface Entry {
  message: QueuedMessage;
  /** Its next try is not before, ms. */
  retryMs: number;
}

/** What waits of one conversation. */
export interface Line {
  readonly conversation: string;
  readonly group: Group;
  /** By position; the first is the head. */
  readonly entries: Entry[];
  inFlight: boolean;
  /** Not before; besides the head's own time. */
  pausedMs: number;
  /** Where it stands while it is ready. */
  priority: Priority;
  timer: Timer | null;
}

/** The lines of one of our numbers. */
export interface Group {
  readonly number: string;
  readonly ready: readonly [Heap<Line>, Heap<Line>];
  lines: number;
  /** By priority. */
  readonly parked: [boolean, boolean];
}

/** Something that waits for its time. */
export interface Timer {
  readonly dueMs: number;
  readonly run: (nowMs: number) => void;
}

const PRIORITIES = [PRIORITY.reply, PRIORITY.bulk] as const;

const headId = (line: Line) => line.entries[0]!.message.id;

export class ReadyLines {
  readonly #groups = new Map<string, Group>();
  readonly #ready: readonly [Heap<Group>, Heap<Group>];

  constructor() {
    const heapOf = (priority: Priority) =>
      new Heap<Group>((a, b) => headId(a.ready[priority].peek()!) < headId(b.ready[priority].peek()!));
    this.#ready = [heapOf(PRIORITY.reply), heapOf(PRIORITY.bulk)];
  }

  /** The line that goes next of those in no parked group; undefined: there is none. */
  peek(): Line | undefined {
    const priority = this.#ready[PRIORITY.reply].size > 0 ? PRIORITY.reply : PRIORITY.bulk;
    return this.#ready[priority].peek()?.ready[priority].peek();
  }

  /** The group of a new line. It stays at least until {@link leave}. */
  join(number: string): Group {
    let group = this.#groups.get(number);
    if (group === undefined) {
      const heap = () => new Heap<Line>((a, b) => headId(a) < headId(b));
      group = { number, ready: [heap(), heap()], lines: 0, parked: [false, false] };
      this.#groups.set(number, group);
    }
    group.lines++;
    return group;
  }

  /** One of the group's lines has ended. */
  leave(group: Group): void {
    group.lines--;
    this.#forgetEmpty(group);
  }

  /** Takes a line out, if it is in: before anything about it changes. */
  remove(line: Line): void {
    const heap = line.group.ready[line.priority];
    if (!heap.has(line)) return;
    this.#hide(line.group);
    heap.remove(line);
    this.#show(line.group);
  }

  /** Puts a line in, at its priority. */
  push(line: Line): void {
    this.#hide(line.group);
    line.group.ready[line.priority].push(line);
    this.#show(line.group);
  }

  /** Closes the group for lines of that priority and less urgent ones. */
  park(group: Group, from: Priority): void {
    this.#hide(group);
    for (let priority = from; priority <= PRIORITY.bulk; priority++) group.parked[priority] = true;
    this.#show(group);
  }

  /** Opens it again. */
  unpark(group: Group, from: Priority): void {
    this.#hide(group);
    for (let priority = from; priority <= PRIORITY.bulk; priority++) group.parked[priority] = false;
    this.#show(group);
    this.#forgetEmpty(group);
  }

  /** Opens all groups. */
  unparkAll(): void {
    for (const group of this.#groups.values()) this.unpark(group, PRIORITY.reply);
  }

  #forgetEmpty(group: Group): void {
    const isCurrent = this.#groups.get(group.number) === group;
    if (isCurrent && group.lines === 0 && !group.parked.includes(true)) this.#groups.delete(group.number);
  }

  #hide(group: Group): void {
    this.#ready[PRIORITY.reply].remove(group);
    this.#ready[PRIORITY.bulk].remove(group);
  }

  #show(group: Group): void {
    for (const priority of PRIORITIES) {
      if (!group.parked[priority] && group.ready[priority].size > 0) this.#ready[priority].push(group);
    }
  }
}
