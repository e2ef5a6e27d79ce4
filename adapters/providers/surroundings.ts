/**
 * What a provider needs of the machine to sign its calls; tests bring their own.
 *
 * @module
 */

export interface Surroundings {
  /** ms since 1970. */
  nowMs(): number;
  newUuid(): string;
}

export const SYSTEM: Surroundings = { nowMs: Date.now, newUuid: () => crypto.randomUUID() };
