/**
 * What stops the embedded default from starting, in words for the person who started it: the message says
 * what is wrong and what to do about it, so that it can be printed without a stack.
 */
export class EmbeddedStartError extends Error {
  override readonly name = "EmbeddedStartError";
}

/** The text of anything that was thrown. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
