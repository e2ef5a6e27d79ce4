/**
 * What a platform's request over NATS is answered: `{ok: true, …}` or a problem document, as the API's are.
 *
 * @module
 */
import type { FieldError } from "../../core/fields.ts";

export interface PlatformProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly FieldError[];
  readonly holder?: { readonly extensionId: string };
  /** When to come again, seconds. */
  readonly retryAfter?: number;
}

export type PlatformAnswer =
  | { readonly ok: true; readonly sessionId?: string; readonly messageId?: string }
  | { readonly ok: true; readonly stream: string; readonly consumer: string }
  | PlatformProblem;

/** A problem document, RFC 9457. */
export function problem(
  status: number,
  code: string,
  title: string,
  detail: string,
  more: Pick<PlatformProblem, "errors" | "holder" | "retryAfter"> = {},
): PlatformProblem {
  return { type: `/problems/${code}`, title, status, detail, code, ...more };
}

export function invalid(errors: readonly FieldError[]): PlatformProblem {
  const names = [...new Set(errors.map((error) => error.field))].join(", ");
  return problem(400, "invalid-fields", "The request does not fit", `These fields do not fit: ${names}`, {
    errors,
  });
}
