/**
 * What people write about a session for each other: notes and tags. The contact sees neither.
 *
 * @module
 */
import { z } from "zod";
import { storableText } from "./storable_text.ts";

export const NOTE_UNITS_MAX = 2_000;
/** Of one session. */
export const TAGS_MAX = 20;

export const TagSchema = z.string().trim().min(1).max(50).refine(
  (text) => storableText(text) === text,
  "has a NUL or half of a surrogate pair",
);

/** One row of `session_notes`. */
export interface SessionNote {
  readonly id: string;
  readonly session_id: string;
  readonly at_ms: number;
  /** E.g. `extension:ext_…`. */
  readonly by: string;
  readonly text: string;
}
