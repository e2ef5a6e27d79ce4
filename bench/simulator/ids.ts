/**
 * The provider's ids: derived from a run's random half and the message's sequence, so that they never collide
 * between runs and nothing has to be kept to know them again.
 *
 * @module
 */

/** Sixteen hex digits that tell this run from every other. */
export function newRunHex(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}

/** As Twilio writes ids: two letters and 32 hex digits. */
export function sidOf(prefix: "SM" | "MM", runHex: string, sequence: number): string {
  return prefix + runHex + sequence.toString(16).padStart(16, "0");
}

/** The sequence in an id of this run; null for any other. */
export function sequenceOfSid(sid: string, runHex: string): number | null {
  if (!/^(SM|MM)[0-9a-f]{32}$/.test(sid) || sid.slice(2, 18) !== runHex) return null;
  return parseInt(sid.slice(18), 16);
}

/** A UUID-shaped id. */
export function uuidOf(runHex: string, sequence: number): string {
  const low = sequence.toString(16).padStart(16, "0");
  return `${runHex.slice(0, 8)}-${runHex.slice(8, 12)}-4${runHex.slice(13)}-8${low.slice(1, 4)}-${
    low.slice(4)
  }`;
}
