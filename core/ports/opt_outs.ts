/**
 * Reading who wants no more messages.
 *
 * @module
 */
import type { OptOutRow } from "../opt_out/opt_out.ts";

/** The place of a row in the list. */
export interface OptOutPlace {
  readonly contact: string;
  readonly number: string;
}

export interface OptOutQueries {
  /** Those in force, by contact and number, after `after`. */
  list(filter: { readonly number?: string }, page: {
    readonly after?: OptOutPlace;
    readonly limit: number;
  }): Promise<OptOutRow[]>;
  /** Of one contact, those taken back as well. */
  ofContact(contact: string): Promise<OptOutRow[]>;
}
