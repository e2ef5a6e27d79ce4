/**
 * Why a connection could not be made.
 *
 * @module
 */
import { PrivateAddressError } from "./private_address_guard.ts";

/** One sentence for people. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses tried give one error without words around theirs.
  const inner = error instanceof AggregateError ? error.errors[0] : undefined;
  return error.message || (inner instanceof Error ? inner.message : "") || error.name;
}

/** Whether it was the guard against private addresses. */
export function isGuards(error: unknown): boolean {
  return error instanceof PrivateAddressError ||
    (error instanceof AggregateError && error.errors.some((inner) => inner instanceof PrivateAddressError));
}
