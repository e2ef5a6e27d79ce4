/**
 * Answers to webhooks that are not taken, as problem documents (RFC 9457).
 *
 * @module
 */
import type { UnavailableError } from "../../core/ports/ingress.ts";
import type { WebhookResult } from "../../core/ports/provider.ts";

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

function answer(problem: Problem, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

function problem(status: number, title: string, detail: string, errors?: Problem["errors"]): Problem {
  return { type: "about:blank", title, status, detail, ...(errors === undefined ? {} : { errors }) };
}

export const refusal = {
  /** Says no more than that: the path holds a secret. */
  unknownUrl: () => answer(problem(404, "Not Found", "no channel has this webhook URL")),

  method: () =>
    answer(problem(405, "Method Not Allowed", "webhooks come by GET or POST"), { allow: "GET, POST" }),

  tooLarge: (maxBytes: number) =>
    answer(problem(413, "Content Too Large", `the body of a webhook may have ${maxBytes} bytes`)),

  unknownNumber: (number: string) =>
    answer(
      problem(422, "Unprocessable Content", "the number is not one of this channel's that receive", [
        { field: "to", message: `${number} is not one of this channel's numbers that receive messages` },
      ]),
    ),

  refused: ({ why, reason, field }: Extract<WebhookResult, { kind: "refused" }>) =>
    why === "unsigned" ? answer(problem(403, "Forbidden", reason)) : answer(
      problem(400, "Bad Request", reason, field === undefined ? undefined : [{ field, message: reason }]),
    ),

  unavailable: (error: UnavailableError) =>
    answer(problem(503, "Service Unavailable", error.message), {
      "retry-after": String(error.retryAfterSeconds),
    }),
};
