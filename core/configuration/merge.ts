/**
 * Partial changes: what a PATCH or a file's entry says replaces what is stored, field by field.
 *
 * @module
 */
import { z } from "zod";

export type Fields = Readonly<Record<string, unknown>>;

/** Whether `value` is an object of fields, not a list or null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/**
 * JSON Merge Patch (RFC 7396): fields of `patch` replace those of `base`, objects are merged, null removes, so
 * that the default applies again.
 */
export function mergePatch(base: Fields, patch: Fields): Fields {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(patch)) {
    if (name === "__proto__") continue;
    if (value === null) delete merged[name];
    else if (isFields(value)) merged[name] = mergePatch(isFields(base[name]) ? base[name] : {}, value);
    else merged[name] = value;
  }
  return merged;
}

/**
 * The schema of a patch for what `schema` describes: every field optional, without its default, null to reset.
 * Fields that no patch may have are left out.
 */
export function patchSchema(schema: z.ZodObject, without: readonly string[] = []): z.ZodObject {
  const shape: Record<string, z.ZodType> = {};
  for (const [name, field] of Object.entries(schema.shape)) {
    if (without.includes(name)) continue;
    const bare = withoutDefault(field as z.ZodType);
    shape[name] = patchOf(bare).nullable().optional();
  }
  return z.object(shape).strict();
}

function patchOf(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodObject) return patchSchema(schema);
  if (!(schema instanceof z.ZodRecord)) return schema;
  return z.record(schema.keyType, (schema.valueType as z.ZodType).nullable());
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  ) {
    return withoutDefault(schema.unwrap() as z.ZodType);
  }
  return schema;
}

/**
 * Null says "the default" in a document; in a new thing that is the same as leaving it out. Looks into objects, not
 * into lists.
 */
export function withoutNulls(input: Fields): Fields {
  return Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [name, isFields(value) ? withoutNulls(value) : value]),
  );
}

/** Whether two values are the same as JSON, whatever the order of their fields. */
export function sameJson(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_name, inner) =>
      isFields(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0)))
        : inner,
  ) ?? "null";
}
