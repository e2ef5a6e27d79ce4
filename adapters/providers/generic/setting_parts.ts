/**
 * Kinds of values in a gateway's settings: templates, patterns, paths, names of headers. Each is checked when it is
 * saved, so that nothing is left to fail when a message is to be sent.
 *
 * @module
 */
import { z } from "zod";
import { Pattern } from "../../../core/pattern.ts";
import { parseTemplate, renderTemplate, variablesOf } from "../template.ts";
import { isVariable, VARIABLES } from "./variables.ts";

type Check = (text: string, fault: (message: string) => void) => void;

function checked(schema: z.ZodString, check: Check) {
  return schema.superRefine((text, context) =>
    check(text, (message) => context.addIssue({ code: "custom", message }))
  );
}

const knowsVariables: Check = (text, fault) => {
  for (const name of variablesOf(parseTemplate(text))) {
    if (!isVariable(name)) fault(`there is no variable ${name}; use ${Object.keys(VARIABLES).join(", ")}`);
  }
};

/** A regular expression that is matched in linear time: see {@link Pattern}. */
export const pattern = checked(z.string().min(1).max(300), (source, fault) => {
  try {
    new Pattern(source);
  } catch (error) {
    fault(`the pattern ${(error as Error).message}`);
  }
});

/** Where in a JSON or XML document a value stands: `messages[0].id`. */
export const path = z.string().max(200).regex(
  /^[A-Za-z0-9_$:-]+(?:\.[A-Za-z0-9_$:-]+|\[\d{1,4}\])*$/,
  "must be a path like messages[0].id",
);

export const urlTemplate = checked(z.string().min(1).max(2_000), (text, fault) => {
  knowsVariables(text, fault);
  const origin = /^https?:\/\/[^/?#]*/i.exec(text)?.[0];
  if (origin === undefined) return fault("must begin with http:// or https://");
  if (/[{}@\s]/.test(origin)) return fault("must not have variables, spaces or a user in its host part");
  if (!URL.canParse(renderTemplate(parseTemplate(text), () => "x"))) fault("is not a web address");
});

export const headerTemplate = checked(z.string().max(1_000), (text, fault) => {
  knowsVariables(text, fault);
  if (variablesOf(parseTemplate(text)).includes("message")) fault("a header cannot hold the message");
  if (/[^\x20-\x7e]/.test(text)) fault("must be visible ASCII");
});

export const textTemplate = checked(z.string().max(4_000), knowsVariables);

export const bodyTemplate = checked(z.string().min(1).max(10_000), knowsVariables);

export const headerName = z.string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, "must be the name of a header")
  .refine((name) => !/^(host|content-length|transfer-encoding|connection|upgrade)$/i.test(name), {
    message: "this header belongs to the connection",
  });

export const parameterName = z.string().min(1).max(100);
export const fieldNames = z.array(z.string().min(1).max(100)).min(1).max(20);
export const line = z.string().max(1_000).regex(/^[\x20-\x7e]*$/, "must be visible ASCII");
export const statuses = z.array(z.number().int().min(100).max(599)).min(1).max(50);
