/**
 * An opt-out: a contact's wish to get no more messages from one of our numbers, or from any.
 *
 * @module
 */

/** In place of one of our numbers: all of them. */
export const ALL_NUMBERS = "*";

/** How we know: the contact wrote a word, somebody told us, or the provider refused a message because of it. */
export const OPT_OUT_SOURCES = ["keyword", "request", "import", "provider"] as const;
export type OptOutSource = (typeof OPT_OUT_SOURCES)[number];

/** One row of `opt_outs`; field names are the column names. */
export interface OptOutRow {
  /** Theirs. */
  readonly contact: string;
  /** Ours, or {@link ALL_NUMBERS}. */
  readonly number: string;
  /** False: taken back. */
  readonly active: boolean;
  readonly at_ms: number;
  readonly source: OptOutSource;
  /** Who caused it, e.g. `contact`, `key:key_…`. */
  readonly by: string;
}

/** A change of a wish, with the id under which the audit log keeps it. */
export interface OptOutChange extends OptOutRow {
  readonly audit_id: string;
}

/** The author of confirmations: the only texts that an opted-out contact still gets. */
export const CONFIRMATION_AUTHOR = { kind: "system", id: "opt-out" } as const;
