/**
 * Runs what was asked for during one turn of the event loop together, at its end: everything that is published
 * then shares one write to the socket. A write costs some 70 µs, and the wait next to nothing.
 *
 * @module
 */
let waiting: (() => void)[] = [];

/** Runs `run` at the end of this turn. */
export function nextTick(run: () => void): void {
  waiting.push(run);
  if (waiting.length > 1) return;
  setImmediate(() => {
    const runs = waiting;
    waiting = [];
    for (const each of runs) each();
  });
}
