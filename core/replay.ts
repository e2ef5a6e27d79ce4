/**
 * Reading dead letters again: what could not be read or applied once may fit a newer program or a mended
 * configuration.
 *
 * @module
 */
import { z } from "zod";
import { type DispatchEntry, DispatchEntrySchema } from "./dispatch/entry.ts";
import {
  CommandEntrySchema,
  type ConversationEntry,
  InboundEntrySchema,
  type ReportEntry,
  ReportEntrySchema,
  type Undecodable,
  unpackEntries,
} from "./entry.ts";

const EntrySchema = z.discriminatedUnion("kind", [
  InboundEntrySchema,
  CommandEntrySchema,
  ReportEntrySchema,
  ...DispatchEntrySchema.options,
]);

export type ReplayableEntry = ConversationEntry | ReportEntry | DispatchEntry;

export type Reread =
  | { readonly kind: "entries"; readonly entries: readonly ReplayableEntry[] }
  | { readonly kind: "unreadable"; readonly reason: string };

/** The entries of a dead letter's payload: one entry, or a whole packed message of which all have to fit. */
export function reread(payload: string): Reread {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch (error) {
    return { kind: "unreadable", reason: `not JSON: ${(error as Error).message}` };
  }
  const isPack = typeof value === "object" && value !== null && "e" in value;
  const entries = unpackEntries(isPack ? payload : `{"v":1,"e":[${payload}]}`, EntrySchema);
  const bad = entries.find((entry): entry is Undecodable => entry.kind === "undecodable");
  if (bad !== undefined) return { kind: "unreadable", reason: bad.reason };
  return {
    kind: "entries",
    entries: entries.map((entry) => unanswered(entry as ReplayableEntry)),
  };
}

/** Nobody waits for an old command's answer any more. */
function unanswered(entry: ReplayableEntry): ReplayableEntry {
  if (!("replyTo" in entry)) return entry;
  const { replyTo: _, ...rest } = entry;
  return rest;
}
