/**
 * Problem documents, RFC 9457: what every refusal of the API looks like.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import type { FieldError } from "../../core/fields.ts";

export type { FieldError };

/** Statuses that the API refuses with. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 500 | 501 | 502 | 503;

const TITLES: Readonly<Record<ProblemStatus, string>> = {
  400: "The request does not fit",
  401: "No valid API key",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  413: "The body is too large",
  415: "Unsupported media type",
  422: "The request cannot be carried out",
  500: "Internal error",
  501: "Not possible with these parts",
  502: "The provider did not answer as expected",
  503: "Not available now",
};

export interface ProblemExtras {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the document, e.g. `holder`. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/**
 * Thrown by handlers and middleware to end a request with a problem document. `code`, where given, becomes
 * the last part of `type`, so that programs can tell apart problems of one status.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: ProblemStatus;
  readonly code: string;
  readonly extras: ProblemExtras;

  constructor(
    status: ProblemStatus,
    detail: string,
    extras: ProblemExtras & { readonly code?: string } = {},
  ) {
    super(detail);
    this.status = status;
    this.code = extras.code ?? CODES[status];
    this.extras = extras;
  }

  toResponse(): Response {
    const { errors, headers, members } = this.extras;
    const body = {
      type: `/problems/${this.code}`,
      title: TITLES[this.status],
      status: this.status,
      detail: this.message,
      ...(errors ? { errors } : {}),
      ...members,
    };
    return new Response(JSON.stringify(body), {
      status: this.status,
      headers: { "content-type": "application/problem+json", ...headers },
    });
  }
}

const CODES: Readonly<Record<ProblemStatus, string>> = {
  400: "bad-request",
  401: "unauthenticated",
  403: "forbidden",
  404: "not-found",
  405: "method-not-allowed",
  409: "conflict",
  413: "too-large",
  415: "unsupported-media-type",
  422: "unprocessable",
  500: "internal",
  501: "not-implemented",
  502: "bad-gateway",
  503: "unavailable",
};

/** The problem of fields that do not fit: one entry for each. */
export function invalidFields(errors: readonly FieldError[]): Problem {
  const names = [...new Set(errors.map((error) => error.field))].join(", ");
  return new Problem(400, `These fields do not fit: ${names}`, { errors, code: "invalid-fields" });
}

/** For OpenAPI. */
export const ProblemSchema = z.object({
  type: z.string().openapi({ example: "/problems/invalid-fields" }),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
}).openapi("Problem");
