/**
 * A list of opt-outs as people keep it: `contact;number`, with `,` or `;`, with or without a line of headings.
 *
 * @module
 */
import type { FieldError } from "../fields.ts";
import { parseAddress } from "../phone_number.ts";
import { ALL_NUMBERS } from "./opt_out.ts";

export interface ImportedOptOut {
  readonly contact: string;
  /** Ours, or {@link ALL_NUMBERS}. */
  readonly number: string;
}

export interface OptOutImport {
  readonly rows: readonly ImportedOptOut[];
  /** `field` names the line, from 1, and the column. */
  readonly errors: readonly FieldError[];
}

const HEADINGS = new Set(["contact", "destination", "telefono", "phone"]);

/**
 * Reads lines that were taken apart already. An empty second column stands for all numbers. `isOurs` tells whether
 * one of ours is configured. Columns beyond the second are left alone: exports have more.
 */
export function readOptOuts(
  lines: readonly (readonly string[])[],
  isOurs: (number: string) => boolean,
): OptOutImport {
  const rows: ImportedOptOut[] = [];
  const errors: FieldError[] = [];
  lines.forEach(([first = "", second = ""], index) => {
    const line = `line ${index + 1}`;
    if (index === 0 && HEADINGS.has(first.trim().toLowerCase())) return;
    const contact = parseAddress(first);
    const number = second.trim() === "" || second.trim() === ALL_NUMBERS
      ? ALL_NUMBERS
      : parseAddress(second)?.value ?? second.trim();
    if (contact?.kind !== "e164") {
      errors.push({
        field: `${line}, contact`,
        message: `${JSON.stringify(first)} is no phone number such as +15551234567`,
      });
    } else if (number !== ALL_NUMBERS && !isOurs(number)) {
      errors.push({ field: `${line}, number`, message: `${number} is not one of the configured numbers` });
    } else rows.push({ contact: contact.value, number });
  });
  return { rows, errors };
}
