/**
 * What all providers do alike with the answer to a send.
 *
 * @module
 */
import type { ErrorClass } from "../../core/errors.ts";
import type { HttpAnswer, SendResult } from "../../core/ports/provider.ts";
import { storable } from "./inbound.ts";

/** A provider that asks for a longer pause is asked again after this, ms. */
const RETRY_AFTER_MAX_MS = 3_600_000;
const REASON_MAX = 300;
const CODE_MAX = 64;

/** How long the answer asks to wait, ms. Its own `Date` is the clock for a `Retry-After` that is a date. */
export function retryAfterMs(answer: HttpAnswer): number | undefined {
  const value = answer.headers["retry-after"]?.trim();
  if (value === undefined || value === "") return undefined;
  const asked = /^\d{1,9}$/.test(value)
    ? Number(value) * 1_000
    : Date.parse(value) - Date.parse(answer.headers["date"] ?? "");
  return Number.isNaN(asked) ? undefined : Math.min(Math.max(asked, 0), RETRY_AFTER_MAX_MS);
}

/** The class and plain reason of an HTTP status that is no success. */
export function errorOfStatus(status: number): { readonly class: ErrorClass; readonly reason: string } {
  if (status === 401 || status === 403) {
    return { class: "auth", reason: `the provider refused the credentials (HTTP ${status})` };
  }
  if (status === 408) return { class: "timeout", reason: "the provider gave up waiting (HTTP 408)" };
  if (status === 425 || status === 429) {
    return { class: "throttled", reason: `the provider asks to slow down (HTTP ${status})` };
  }
  if (status === 402) return { class: "no-credit", reason: "the account is out of credit (HTTP 402)" };
  if (status >= 500) return { class: "provider-error", reason: `the provider has a fault (HTTP ${status})` };
  if (status >= 400) {
    return { class: "bad-request", reason: `the provider refused the request (HTTP ${status})` };
  }
  return {
    class: "bad-response",
    reason: `the provider answered with HTTP ${status}, which is no answer to a send`,
  };
}

/** A failed send, with the pause the answer asks for where it asks for one. */
export function failed(
  answer: HttpAnswer,
  error: { readonly class: ErrorClass; readonly reason: string; readonly code?: string },
): SendResult {
  const pause = retryAfterMs(answer);
  return {
    kind: "failed",
    error: {
      class: error.class,
      reason: storable(error.reason, REASON_MAX),
      ...(error.code !== undefined && { providerCode: storable(error.code, CODE_MAX) }),
    },
    ...(pause !== undefined && { retryAfterMs: pause }),
  };
}

/** Parses a JSON object; null for anything else. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
