/**
 * The members in the simulation.
 *
 * @module
 */
import {
  candidates,
  HEARTBEAT_MS,
  Liveness,
  type MemberInfo,
  MISSED_AFTER_MS,
  UNSURE_AFTER_MS,
} from "../../core/membership/liveness.ts";
import type { MembersView } from "../../core/membership/partition_keeper.ts";
import type { Broker } from "./broker.ts";
import type { Process } from "./world.ts";

const WATCH_MS = 250;

/** The members as `adapters/nats/members.ts` sees them, over the simulated broker. */
export class SimulatedMembers implements MembersView {
  readonly #process: Process;
  readonly #broker: Broker;
  readonly #liveness = new Liveness();
  #self: MemberInfo;
  #takenMs = -Infinity;
  #onChange: () => void = () => {};
  #closed = false;

  constructor(process: Process, broker: Broker) {
    this.#process = process;
    this.#broker = broker;
    this.#self = {
      id: process.name,
      roles: ["router", "sender"],
      version: "",
      host: "",
      port: 0,
      startedMs: 0,
      leaving: false,
      answers: true,
    };
  }

  get me(): string {
    return this.#self.id;
  }

  candidates(role: string): readonly string[] {
    return candidates(this.#liveness.living(this.#nowMs), role);
  }

  isAlive(member: string): boolean {
    return this.#liveness.isAlive(member, this.#nowMs);
  }

  isSure(): boolean {
    return this.#nowMs - this.#takenMs < UNSURE_AFTER_MS;
  }

  async join(onChange: () => void): Promise<void> {
    this.#onChange = onChange;
    const beat = () => {
      if (this.#closed) return;
      this.#put().catch(() => {});
      this.#process.clock.after(HEARTBEAT_MS, beat);
    };
    beat();
    this.#watchLater();
    for (;;) {
      try {
        const infos = await this.#broker.signs(this.#process);
        for (const info of infos) if (info.id !== this.me) this.hear(info);
        return;
      } catch {
        await new Promise<void>((resolve) => this.#process.clock.after(100, resolve));
      }
    }
  }

  hear(info: MemberInfo): boolean {
    return info.id !== this.me && this.#liveness.see(info, this.#nowMs);
  }

  gone(id: string): boolean {
    return this.#liveness.leave(id);
  }

  async leave(): Promise<void> {
    this.#self = { ...this.#self, leaving: true };
    await this.#put().catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#broker.gone(this.#process, this.me).catch(() => {});
  }

  #watchLater(): void {
    this.#process.clock.after(WATCH_MS, () => {
      if (this.#closed) return;
      this.#watch();
      this.#watchLater();
    });
  }

  #watch(): void {
    if (!this.#isHeard) return;
    const nowMs = this.#nowMs;
    if (this.#liveness.bury(nowMs)) this.#onChange();
    for (const id of this.#liveness.missed(nowMs)) if (id !== this.me) this.#askFor(id, nowMs);
  }

  get #isHeard(): boolean {
    return this.#nowMs - this.#takenMs < MISSED_AFTER_MS;
  }

  async #askFor(id: string, nowMs: number): Promise<void> {
    const isThere = await this.#broker.isThere(this.#process, id).catch(() => true);
    if (!isThere && this.#isHeard && this.#liveness.unreachable(id, nowMs)) this.#onChange();
  }

  async #put(): Promise<void> {
    const sentMs = this.#nowMs;
    await this.#broker.sign(this.#process, this.#self);
    if (!this.isSure() && this.#takenMs > -Infinity) this.#liveness.resume(this.#nowMs);
    this.#takenMs = Math.max(this.#takenMs, sentMs);
    if (this.#liveness.see(this.#self, sentMs)) this.#onChange();
  }

  get #nowMs(): number {
    return this.#process.clock.monotonic();
  }
}
