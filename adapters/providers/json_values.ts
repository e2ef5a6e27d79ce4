/**
 * Nested JSON from outside: nothing in it is where it is said to be until it was looked at.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isObject } from "./answers.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** The value of a JSON body; undefined where it is none. */
export function parseBody(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The field `name` if it is a text or a number; undefined otherwise. */
export function textAt(object: JsonObject, name: string): string | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
}

/** The field `name` if it is an object; undefined otherwise. */
export function objectAt(object: JsonObject, name: string): JsonObject | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return isObject(value) ? value : undefined;
}

/** The field `name` if it is a list; empty otherwise. */
export function listAt(object: JsonObject, name: string): readonly unknown[] {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return Array.isArray(value) ? value : [];
}
