/**
 * What is noted of contacts.
 *
 * @module
 */
import type { ContactNotes, ContactPatch } from "../contact.ts";

/** For the routing stage. */
export interface ContactSource {
  /** Of those of `contacts` of whom anything is noted. */
  ofContacts(contacts: readonly string[]): Promise<ReadonlyMap<string, ContactNotes>>;
}

/** For the API. */
export interface ContactBook extends ContactSource {
  /** Resolves with the notes as they are then. Two changes at once are made one after the other. */
  change(contact: string, patch: ContactPatch, by: string): Promise<ContactNotes>;
}
