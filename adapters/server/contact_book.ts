/**
 * What is noted of contacts, on this process's parts.
 *
 * @module
 */
import { newId } from "../../core/ids.ts";
import type { ContactBook } from "../../core/ports/contacts.ts";
import { PostgresContactBook } from "../postgres/contact_book.ts";
import { fillRandom } from "../system/random.ts";
import type { Parts } from "./parts.ts";

export function contactBook(parts: Pick<Parts, "db">, now: () => number): ContactBook {
  return new PostgresContactBook({
    db: parts.db,
    now,
    newAuditId: (nowMs) => newId("audit", nowMs, fillRandom),
  });
}
