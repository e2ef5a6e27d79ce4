/**
 * Providers' credentials: parsed by the provider's own schema, and masked wherever they are shown.
 *
 * @module
 */
import { z } from "zod";
import { type FieldError, fieldErrors } from "../fields.ts";
import type { Provider } from "../ports/provider.ts";
import type { Fields } from "./merge.ts";

/** What stands in place of a secret that is set. */
export const SECRET_SET = "(set)";

/** Names of the fields that are secret. */
export function secretFields(provider: Provider): ReadonlySet<string> {
  const names = Object.entries(provider.credentials.shape).filter(([, field]) =>
    isSecret(field as z.ZodType)
  );
  return new Set(names.map(([name]) => name));
}

function isSecret(schema: z.ZodType): boolean {
  if (schema.meta()?.secret === true) return true;
  const wrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return wrapped && isSecret(schema.unwrap() as z.ZodType);
}

/** Credentials as they may be shown. Those of a provider that is not known here are masked altogether. */
export function maskCredentials(provider: Provider | undefined, credentials: Fields): Fields {
  const secret = provider && secretFields(provider);
  const masked = Object.entries(credentials).map(([name, value]) => {
    const hide = secret === undefined || secret.has(name);
    return [name, hide && value !== undefined && value !== "" ? SECRET_SET : value];
  });
  return Object.fromEntries(masked);
}

/**
 * Parses credentials. A secret that is sent back as it was shown keeps its value from `current`.
 * Faults are returned, with `credentials.` before the field's name.
 */
export function parseCredentials(
  provider: Provider,
  raw: Fields,
  current: Fields = {},
): { readonly credentials: Fields } | { readonly errors: readonly FieldError[] } {
  const secret = secretFields(provider);
  const unmasked = Object.entries(raw).map(([name, value]) =>
    secret.has(name) && value === SECRET_SET && name in current ? [name, current[name]] : [name, value]
  );
  const result = provider.credentials.strict().safeParse(Object.fromEntries(unmasked));
  if (!result.success) return { errors: fieldErrors(result.error, "credentials") };
  const left = Object.entries(result.data).filter(([name, value]) =>
    secret.has(name) && value === SECRET_SET
  );
  if (left.length > 0) {
    return {
      errors: left.map(([name]) => ({
        field: `credentials.${name}`,
        message: `write the secret, not ${SECRET_SET}`,
      })),
    };
  }
  return { credentials: result.data };
}
