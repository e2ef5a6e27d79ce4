/**
 * Limits of time for calls, with one timer for all that may take equally long: those end in the order in which they
 * began. A timer for each call would be made and cleared again with nearly every one of them.
 *
 * @module
 */
interface Deadline {
  readonly dueMs: number;
  readonly run: () => void;
}

interface Line {
  /** The first to come first. */
  readonly deadlines: Set<Deadline>;
  timer: ReturnType<typeof setTimeout>;
}

export class Deadlines {
  /** By what they take, ms; none is empty. */
  readonly #lines = new Map<number, Line>();

  /** Runs `run` after `timeoutMs`, unless what it returns is called before. */
  after(timeoutMs: number, run: () => void): () => void {
    const deadline: Deadline = { dueMs: performance.now() + timeoutMs, run };
    const line = this.#lines.get(timeoutMs) ?? this.#newLine(timeoutMs);
    line.deadlines.add(deadline);
    return () => {
      if (!line.deadlines.delete(deadline) || line.deadlines.size > 0) return;
      clearTimeout(line.timer);
      this.#lines.delete(timeoutMs);
    };
  }

  #newLine(timeoutMs: number): Line {
    const timer = setTimeout(() => this.#expire(timeoutMs), timeoutMs);
    const line: Line = { deadlines: new Set(), timer };
    this.#lines.set(timeoutMs, line);
    return line;
  }

  #expire(timeoutMs: number): void {
    const line = this.#lines.get(timeoutMs)!;
    const nowMs = performance.now();
    const due: Deadline[] = [];
    for (const deadline of line.deadlines) {
      if (deadline.dueMs > nowMs) {
        line.timer = setTimeout(() => this.#expire(timeoutMs), Math.ceil(deadline.dueMs - nowMs));
        break;
      }
      due.push(deadline);
    }
    for (const deadline of due) line.deadlines.delete(deadline);
    if (line.deadlines.size === 0) this.#lines.delete(timeoutMs);
    for (const { run } of due) run();
  }
}
