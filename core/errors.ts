/**
 * Why a send did not work, as a closed list. Every class says whether another try can help.
 *
 * @module
 */

/** Classes after which another try can help. */
export const RETRYABLE_CLASSES = ["throttled", "timeout", "connection", "provider-error"] as const;

/** Classes that end a message at once. */
export const FINAL_CLASSES = [
  "invalid-number",
  "unreachable",
  "opted-out",
  "blocked",
  "rejected",
  "bad-request",
  "bad-response",
  "invalid-sender",
  "too-long",
  "auth",
  "account",
  "no-credit",
  "unknown",
] as const;

export type RetryableClass = (typeof RETRYABLE_CLASSES)[number];
export type FinalClass = (typeof FINAL_CLASSES)[number];
export type ErrorClass = RetryableClass | FinalClass;

const retryable: ReadonlySet<string> = new Set(RETRYABLE_CLASSES);

/** Whether another try can help after an error of this class. */
export function isRetryable(errorClass: ErrorClass): errorClass is RetryableClass {
  return retryable.has(errorClass);
}

/** What a message carries when something went wrong with it. */
export interface MessageError {
  readonly class: ErrorClass;
  /** The provider's own code, as it wrote it. */
  readonly providerCode?: string;
  /** One plain sentence for a person. */
  readonly reason: string;
  /** When the next try is due, RFC 3339, if there will be one. */
  readonly retryAt?: string;
}

/** Fails loudly when a case of a union was forgotten; the compiler complains first. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
