/**
 * Who is alive, as one observer sees it: whoever was heard of within the last two seconds of the observer's own
 * clock, unless the broker says sooner that nobody listens under its name any more. No clock is compared with
 * another machine's.
 *
 * @module
 */

/** What a member says of itself with each sign of life. */
export interface MemberInfo {
  /** Tells this run of a process from all others, also from its own former runs. */
  readonly id: string;
  readonly roles: readonly string[];
  readonly version: string;
  readonly host: string;
  /** Of its HTTP server. */
  readonly port: number;
  /** When it started, ms since 1970 on its own clock. */
  readonly startedMs: number;
  /** It is about to go: it gives back what it owns and wants nothing more. */
  readonly leaving: boolean;
  /** Whether it can be asked for by its name; not there, or false: its silence alone says that it is dead. */
  readonly answers?: boolean;
}

/** A member and how long ago it was heard of, ms. */
export interface LivingMember {
  readonly info: MemberInfo;
  readonly ageMs: number;
}

/** From one sign of life to the next. */
export const HEARTBEAT_MS = 500;
/**
 * Until the next sign, ms. All members give theirs at the same moments, as far as their clocks (`nowMs`, ms since 1970)
 * agree: every member hears every other, and is woken once by all signs instead of once by each.
 */
export function untilNextSign(nowMs: number): number {
  return HEARTBEAT_MS - nowMs % HEARTBEAT_MS;
}

/** Without a sign for so long a member is taken for dead: three are lost, and a moment. */
export const DEAD_AFTER_MS = 2_000;
/**
 * A member whose own signs were not taken for so long stops its work: before others may take it for dead, by a
 * margin for the way and for timers that are late.
 */
export const UNSURE_AFTER_MS = 1_500;
/**
 * A member that is silent for so long is asked for: a sign is lost, and it had half a second to connect anew. A
 * process that was killed is found out so before its time is over; one that is paused is not.
 */
export const MISSED_AFTER_MS = 1_000;
/** With a connection that it knows to be broken a member stops sooner: before anyone may miss it. */
export const CUT_UNSURE_AFTER_MS = 750;

interface Known {
  info: MemberInfo;
  seenMs: number;
  /** Whether that was a sign of its own. */
  isHeard: boolean;
}

/** Times are ms of the observer's monotonic clock. */
export class Liveness {
  readonly #members = new Map<string, Known>();

  /** A sign of life of `info.id`, given at `seenMs`; true when somebody came or says something new of itself. */
  see(info: MemberInfo, seenMs: number): boolean {
    const known = this.#members.get(info.id);
    if (known !== undefined && known.seenMs > seenMs) return false;
    this.#members.set(info.id, { info, seenMs, isHeard: true });
    return known === undefined || seenMs - known.seenMs >= DEAD_AFTER_MS ||
      known.info.leaving !== info.leaving || known.info.roles.join() !== info.roles.join();
  }

  /** The member said that it goes; true when it was known. */
  leave(id: string): boolean {
    return this.#members.delete(id);
  }

  /**
   * The observer heard nothing for a while and hears again: that somebody was silent meanwhile says nothing. All that
   * were known get the full time anew.
   */
  resume(nowMs: number): void {
    for (const member of this.#members.values()) {
      member.seenMs = nowMs;
      member.isHeard = false;
    }
  }

  /** Those to be asked for: silent for a while, and heard of since the observer hears. */
  missed(nowMs: number): string[] {
    return [...this.#members.keys()].filter((id) => this.isAlive(id, nowMs) && this.#isMissed(id, nowMs));
  }

  /** Nobody listened under the name of `id` when it was asked for at `askedMs`; true when that says that it is gone. */
  unreachable(id: string, askedMs: number): boolean {
    return this.#isMissed(id, askedMs) && this.#members.delete(id);
  }

  /** Forgets the dead; true when somebody died since the last time. */
  bury(nowMs: number): boolean {
    const before = this.#members.size;
    return this.living(nowMs).length < before;
  }

  isAlive(id: string, nowMs: number): boolean {
    const member = this.#members.get(id);
    return member !== undefined && nowMs - member.seenMs < DEAD_AFTER_MS;
  }

  /** Those alive, by id; the dead are forgotten. */
  living(nowMs: number): LivingMember[] {
    const living: LivingMember[] = [];
    for (const [id, { info, seenMs }] of this.#members) {
      if (nowMs - seenMs < DEAD_AFTER_MS) living.push({ info, ageMs: nowMs - seenMs });
      else this.#members.delete(id);
    }
    return living.sort((a, b) => a.info.id < b.info.id ? -1 : 1);
  }

  #isMissed(id: string, nowMs: number): boolean {
    const member = this.#members.get(id);
    return member !== undefined && member.isHeard && member.info.answers === true &&
      nowMs - member.seenMs >= MISSED_AFTER_MS;
  }
}

/** Those that may be wished for as owners by a kind of partition that `role` applies. */
export function candidates(living: readonly LivingMember[], role: string): string[] {
  return living.filter(({ info }) => !info.leaving && info.roles.includes(role)).map(({ info }) => info.id);
}
