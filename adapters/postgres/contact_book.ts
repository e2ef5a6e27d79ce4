/**
 * What is noted of contacts: rows of `contacts`. A change stands in the audit log.
 *
 * @module
 */
import { changeNotes, type ContactNotes, type ContactPatch, NOTHING_NOTED } from "../../core/contact.ts";
import { sameJson } from "../../core/configuration/merge.ts";
import type { ContactBook } from "../../core/ports/contacts.ts";
import { auditRows } from "./audit_rows.ts";
import type { Database } from "./database.ts";

export interface PostgresContactBookOptions {
  readonly db: Database;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Of an entry of the audit log made at `nowMs`. */
  readonly newAuditId: (nowMs: number) => string;
}

export class PostgresContactBook implements ContactBook {
  readonly #options: PostgresContactBookOptions;

  constructor(options: PostgresContactBookOptions) {
    this.#options = options;
  }

  async ofContacts(contacts: readonly string[]): Promise<ReadonlyMap<string, ContactNotes>> {
    const rows = await this.#options.db.selectFrom("contacts").selectAll()
      .where("number", "in", contacts.length === 0 ? [""] : [...new Set(contacts)]).execute();
    return new Map(rows.map(({ number, attributes, language }) => [number, { attributes, language }]));
  }

  change(contact: string, patch: ContactPatch, by: string): Promise<ContactNotes> {
    const { db, now, newAuditId } = this.#options;
    return db.transaction().execute(async (tx) => {
      await tx.insertInto("contacts").values({ number: contact, ...NOTHING_NOTED })
        .onConflict((conflict) => conflict.doNothing()).execute();
      const { attributes, language } = await tx.selectFrom("contacts").selectAll()
        .where("number", "=", contact).forUpdate().executeTakeFirstOrThrow();
      const before = { attributes, language };
      const after = changeNotes(before, patch);
      if (sameJson(before, after)) return after;
      await tx.updateTable("contacts").set(after).where("number", "=", contact).execute();
      const nowMs = now();
      await auditRows(tx).insert({
        id: newAuditId(nowMs),
        at: new Date(nowMs),
        actor: by,
        action: "update",
        kind: "contact",
        target: contact,
        before,
        after,
      });
      return after;
    });
  }
}
