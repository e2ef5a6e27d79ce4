/**
 * The circuit breaker before one platform's endpoint: calls pass while it answers; while it fails, events wait here
 * and one call at a time, after pauses that grow, tries whether it is back.
 *
 * @module
 */
import type { Clock } from "../../core/ports/clock.ts";
import { answered, called, type Circuit, type Fault, mayCall, newCircuit } from "../../core/send/circuit.ts";

export interface EndpointGateOptions {
  readonly clock: Pick<Clock, "monotonic" | "after">;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Told when the endpoint begins to fail, and, with null, when it answers, for the first time or again. */
  readonly onChange: (fault: Fault | null) => void;
}

export class EndpointGate {
  readonly #options: EndpointGateOptions;
  /** Those who wait for leave to call, in the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #circuit: Circuit;
  #told: boolean | null = null;
  #cancelTimer = () => {};

  constructor(options: EndpointGateOptions) {
    this.#options = options;
    this.#circuit = newCircuit(options.clock.monotonic());
  }

  get isOpen(): boolean {
    return this.#circuit.kind !== "closed";
  }

  /** Resolves when a call may be made. Whoever was let in says with the result what came of it. */
  async enter(signal: AbortSignal): Promise<(fault: Fault | null) => void> {
    signal.throwIfAborted();
    if (this.#waiting.size > 0 || !mayCall(this.#circuit, this.#options.clock.monotonic())) {
      await this.#wait(signal);
    }
    const calledMs = this.#options.clock.monotonic();
    this.#circuit = called(this.#circuit, calledMs);
    return (fault) => this.#note(fault, calledMs);
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", leave);
        this.#waiting.delete(go);
        resolve();
      };
      const leave = () => {
        this.#waiting.delete(go);
        reject(signal.reason);
        this.#letIn();
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.add(go);
      this.#letIn();
    });
  }

  #note(fault: Fault | null, calledMs: number): void {
    const { clock, random, onChange } = this.#options;
    this.#circuit = answered(this.#circuit, { fault, calledMs, nowMs: clock.monotonic(), random: random() });
    const { isOpen } = this;
    // The first answer is told as well: a former process may have left word that it fails.
    if (isOpen !== this.#told && (isOpen || fault === null)) {
      this.#told = isOpen;
      onChange(isOpen ? fault : null);
    }
    this.#letIn();
  }

  /** Everyone while it is closed; one, at its time, while it is open. */
  #letIn(): void {
    const { clock } = this.#options;
    this.#cancelTimer();
    const nowMs = clock.monotonic();
    if (this.#circuit.kind === "closed") {
      for (const go of [...this.#waiting]) go();
      return;
    }
    // A probe is under way: its end comes here again.
    const [next] = this.#waiting;
    if (this.#circuit.kind === "half-open" || next === undefined) return;
    if (mayCall(this.#circuit, nowMs)) {
      this.#circuit = called(this.#circuit, nowMs);
      return next();
    }
    this.#cancelTimer = clock.after(this.#circuit.untilMs - nowMs, () => this.#letIn());
  }
}
