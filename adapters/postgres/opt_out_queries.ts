/**
 * Who wants no more messages, for the API.
 *
 * @module
 */
import type { OptOutRow } from "../../core/opt_out/opt_out.ts";
import type { OptOutPlace, OptOutQueries } from "../../core/ports/opt_outs.ts";
import type { Database } from "./database.ts";

export class PostgresOptOutQueries implements OptOutQueries {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(
    { number }: { readonly number?: string },
    { after, limit }: { readonly after?: OptOutPlace; readonly limit: number },
  ): Promise<OptOutRow[]> {
    let query = this.#db.selectFrom("opt_outs").selectAll().where("active", "=", true)
      .orderBy("contact").orderBy("number").limit(limit);
    if (number !== undefined) query = query.where("number", "=", number);
    if (after !== undefined) {
      query = query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple("contact", "number"), ">", tuple(after.contact, after.number))
      );
    }
    return await query.execute();
  }

  async ofContact(contact: string): Promise<OptOutRow[]> {
    return await this.#db.selectFrom("opt_outs").selectAll().where("contact", "=", contact).orderBy("number")
      .execute();
  }
}
