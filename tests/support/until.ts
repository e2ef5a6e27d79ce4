/**
 * Waiting for what must come, with an end: never a fixed sleep.
 *
 * @module
 */
const POLL_MS = 25;
/** Long, because the machine may be busy with other things; nothing waits that long when all is well. */
export const PATIENCE_MS = 30_000;

/** Polls `condition` until it gives something truthy, and returns that. Throws after `msMax`, naming `what`. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  msMax = PATIENCE_MS,
): Promise<Exclude<T, false | null | undefined | 0 | "">> {
  const deadline = performance.now() + msMax;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, false | null | undefined | 0 | "">;
    if (performance.now() > deadline) throw new Error(`not within ${msMax} ms: ${what}`);
    await pause(POLL_MS);
  }
}

/** `promise`, or an error that names `what` after `msMax`. */
export async function within<T>(what: string, promise: Promise<T>, msMax = PATIENCE_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${msMax} ms: ${what}`)), msMax);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
