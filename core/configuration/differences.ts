/**
 * What changed between two states of a thing, as a person reads it.
 *
 * @module
 */
import { type Fields, isFields, sameJson } from "./merge.ts";

/** Fields that change with every change. */
const IGNORED = new Set(["updatedAt", "statusAt"]);

/**
 * One line for each field that differs, e.g. `retry.maxTries: 8 → 3`. The values of those in `secret`, by their
 * path, are not shown.
 */
export function differences(
  before: Fields,
  after: Fields,
  secret: ReadonlySet<string> = new Set(),
): string[] {
  return compare(before, after, "", secret);
}

function compare(before: Fields, after: Fields, prefix: string, secret: ReadonlySet<string>): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) =>
    !IGNORED.has(name)
  );
  return names.flatMap((name) => {
    const path = prefix + name;
    const [old, now] = [before[name], after[name]];
    if (sameJson(old, now)) return [];
    if (isFields(old) && isFields(now)) return compare(old, now, `${path}.`, secret);
    return secret.has(path) ? [`${path}: (secret)`] : [`${path}: ${show(old)} → ${show(now)}`];
  });
}

function show(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value);
}
