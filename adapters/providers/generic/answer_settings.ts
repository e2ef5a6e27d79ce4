/**
 * What is set about a gateway's answers.
 *
 * @module
 */
import { z } from "zod";
import { FINAL_CLASSES, RETRYABLE_CLASSES } from "../../../core/errors.ts";
import { told } from "./setting_help.ts";
import { headerName, path, pattern, statuses, urlTemplate } from "./setting_parts.ts";

export const errorClass = z.enum([...RETRYABLE_CLASSES, ...FINAL_CLASSES]);

export const answerShape = {
  successStatus: told(
    statuses.optional(),
    "Statuses of success",
    "HTTP statuses that are a success; 200 to 299 without it",
    [200, 202],
  ),
  successContains: told(
    z.string().min(1).max(300).optional(),
    "Success contains",
    "Must be in the answer",
    "OK",
  ),
  successPattern: told(pattern.optional(), "Success pattern", "Must be found in the answer", "^OK"),
  successPath: told(
    path.optional(),
    "Success path",
    "Where a JSON or XML answer says whether it worked",
    "status",
  ),
  successValues: told(
    z.array(z.string().max(100)).min(1).max(20).default(["true", "ok", "success", "0"]),
    "Success values",
    "What stands at the success path after a success; case does not matter",
    ["ok"],
  ),
  failurePattern: told(
    pattern.optional(),
    "Failure pattern",
    "Must not be found in the answer; case does not matter",
    "error|denied",
  ),
  unmatched: told(
    errorClass.default("rejected"),
    "Otherwise",
    "Class of an answer that is no success and that no rule knows",
    "rejected",
  ),
  errorRules: told(
    z.array(
      z.object({
        status: statuses.optional(),
        pattern: pattern.optional(),
        path: path.optional(),
        value: z.string().max(100).optional(),
        class: errorClass,
        reason: z.string().min(1).max(200).optional(),
      }).strict().refine((rule) => rule.status ?? rule.pattern ?? rule.path, {
        message: "needs a status, a pattern or a path",
      })
        .refine((rule) => (rule.path === undefined) === (rule.value === undefined), {
          message: "path and value belong together",
          path: ["value"],
        }),
    ).max(50).default([]),
    "Error rules",
    "Looked at first; the first that fits gives the class. Case does not matter in its pattern",
    [{ pattern: "saldo|credit", class: "no-credit" }],
  ),
  errorRulesFor: told(
    z.enum(["all", "failures"]).default("all"),
    "Answers for the error rules",
    "all: the rules are looked at first, also for HTTP 200; failures: only where the answer is no success",
    "failures",
  ),
  throttleSeconds: told(
    z.number().int().min(1).max(3_600).optional(),
    "Pause when throttled",
    "Seconds to wait where the gateway asks to slow down and does not say for how long",
    30,
  ),
  codePattern: told(
    pattern.optional(),
    "Error code pattern",
    "Its first group is the gateway's error code",
    "^ERROR;(\\d+)",
  ),
  codePaths: told(
    z.array(path).max(10).default([]),
    "Error code paths",
    "Where an answer has its error code",
    [
      "error.code",
    ],
  ),
  codes: told(
    z.record(z.string().min(1).max(64), z.union([z.literal("success"), errorClass])).default({}),
    "Error codes",
    "What the gateway's codes mean",
    { "0": "success", "12": "invalid-number" },
  ),
  idPattern: told(
    pattern.optional(),
    "Id pattern",
    "Its first group is the gateway's id of the message",
    "^OK;(.+)$",
  ),
  idPaths: told(z.array(path).max(10).default([]), "Id paths", "Where an answer has the id, tried in order", [
    "messages[0].id",
  ]),
  idHeader: told(headerName.optional(), "Id header", "The answer's header that has the id", "X-Message-Id"),
};

export const checkShape = {
  checkUrl: told(
    urlTemplate.optional(),
    "Check address",
    "Fetched to prove the credentials, for example the balance; it must not send anything",
    "https://gateway.example.com/balance?user=${user}&key=${password}",
  ),
  checkPattern: told(
    pattern.optional(),
    "Check pattern",
    "Must be found in what the check address answers",
    "^\\d+$",
  ),
};
