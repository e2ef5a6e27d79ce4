/**
 * A provider's error codes: each with our class and a plain reason, for messages and for the documents.
 *
 * @module
 */
import type { ErrorClass, MessageError } from "../../core/errors.ts";
import type { FactSource, ProviderDescription } from "../../core/ports/provider.ts";

/** Codes that mean the same. */
export type ErrorRow = readonly [errorClass: ErrorClass, reason: string, ...codes: (number | string)[]];

export interface ErrorTable {
  /** What `code` means, or undefined where it is not in the table. */
  find(code: string): MessageError | undefined;
  /** All codes in the order of the rows. */
  readonly described: ProviderDescription["errors"];
}

/** Makes the table. `source`: whether the provider documents these codes. */
export function errorTable(rows: readonly ErrorRow[], source: FactSource = "documented"): ErrorTable {
  const described = rows.flatMap(([errorClass, reason, ...codes]) =>
    codes.map((code) => ({ code: String(code), class: errorClass, reason, source }))
  );
  const byCode: ReadonlyMap<string, MessageError> = new Map(
    described.map(({ code, class: errorClass, reason }) => [
      code,
      { class: errorClass, providerCode: code, reason },
    ]),
  );
  return { find: (code) => byCode.get(code), described };
}
