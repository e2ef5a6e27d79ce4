/**
 * Faults of single fields, in one shape for the API, `apply` and the options of the command line.
 *
 * @module
 */
import type { z } from "zod";

/** One field that does not fit; `field` is its path, e.g. `retry.maxTries` or `members.0`. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/**
 * The faults that zod found, with paths written by dots below `prefix`. An unknown field is named itself,
 * not the object it stands in.
 */
export function fieldErrors(error: z.ZodError, prefix = ""): FieldError[] {
  return error.issues.flatMap((issue) => issueErrors(issue, prefix));
}

function issueErrors(issue: z.core.$ZodIssue, prefix: string): FieldError[] {
  const path = [prefix, ...issue.path.map(String)].filter((part) => part !== "").join(".");
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        field: path === "" ? key : `${path}.${key}`,
        message: "there is no field of this name",
      }));
    case "invalid_union": {
      // The branch that comes closest says the most useful thing.
      const branches = issue.errors.filter((branch) => branch.length > 0);
      const closest = branches.toSorted((a, b) => a.length - b.length)[0];
      if (closest === undefined) return [{ field: path || "body", message: issue.message }];
      return closest.flatMap((inner) => issueErrors(inner, path));
    }
    default:
      return [{ field: path === "" ? "body" : path, message: lowerFirst(issue.message) }];
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
