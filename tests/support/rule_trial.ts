/**
 * The route that tries rules, on a test's database.
 *
 * @module
 */
import type { RouteModule } from "../../adapters/http/deps.ts";
import { ruleTestRoutes } from "../../adapters/http/runtime/rule_trial.ts";
import { languageDetector } from "../../adapters/language/eld.ts";
import { PostgresMessageQueries } from "../../adapters/postgres/message_queries.ts";
import { contactBook } from "../../adapters/server/contact_book.ts";
import type { TestDatabase } from "./postgres.ts";

export function ruleTrial({ db }: Pick<TestDatabase, "db">): RouteModule {
  return ruleTestRoutes({
    messages: new PostgresMessageQueries(db),
    contacts: contactBook({ db }, Date.now),
    languageDetector,
  });
}
