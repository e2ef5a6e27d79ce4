/**
 * What `deno test` says at its end, read from its output.
 *
 * @module
 */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

// deno-lint-ignore no-control-regex
const COLOURS = /\x1b\[[0-9;]*m/g;
/** `ok | 12 passed (3 steps) | 1 failed (1 step) | 2 ignored | 4 filtered out (3s)`; steps are parts of their tests. */
const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(?= |$)/;

/** Reads output as it comes and keeps the last summary, which is deno's own: tests print before it. */
export class SummaryReader {
  #rest = "";
  #counts: Counts | null = null;

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#read(line);
  }

  /** The summary; null when there was none, as when a file does not compile. */
  end(): Counts | null {
    this.#read(this.#rest);
    this.#rest = "";
    return this.#counts;
  }

  #read(line: string): void {
    const match = SUMMARY.exec(line.replace(COLOURS, "").trimEnd());
    if (match !== null) this.#counts = { passed: Number(match[1]), failed: Number(match[2]) };
  }
}

/**
 * The counts of one run. What makes deno fail without a failed test — a file that does not compile, an error
 * outside of every test — counts as one.
 */
export function countsOf(summary: Counts | null, exitCode: number): Counts {
  const { passed, failed } = summary ?? { passed: 0, failed: 0 };
  return { passed, failed: exitCode !== 0 && failed === 0 ? 1 : failed };
}

export function sum(counts: readonly Counts[]): Counts {
  return counts.reduce((all, run) => ({ passed: all.passed + run.passed, failed: all.failed + run.failed }), {
    passed: 0,
    failed: 0,
  });
}
