/**
 * Things that stand in a document twice.
 *
 * @module
 */
import type { FieldError } from "../../fields.ts";
import { parseAddress } from "../../phone_number.ts";
import type { ApplyDocument } from "./document.ts";
import { ROOT } from "./plan.ts";

/** What stands in one document twice: the second would undo the first. */
export function repeats(document: ApplyDocument): FieldError[] {
  const keys: [string, string, readonly unknown[]][] = [
    ["extensions", "extension", document.extensions.map(({ extension }) => extension)],
    ["platforms", "name", document.platforms.map(({ name }) => name)],
    ["calendars", "name", document.calendars.map(({ name }) => name)],
    ["queues", "name", document.queues.map(({ name }) => name)],
    ["channels", "name", document.channels.map(({ name }) => name)],
    ["numbers", "number", document.numbers.map(({ number }) => parseAddress(number)?.value ?? number)],
    ["rules", "name", document.rules.map(({ name }) => name)],
    [
      "canned",
      "label",
      document.canned.map(({ queue, label, language }) =>
        `${queue === undefined ? "" : `${queue}/`}${label} (${language})`
      ),
    ],
    ["inCallPresets", "label", document.inCallPresets.map(({ label }) => label)],
    ["keys", "name", document.keys.map(({ name }) => name)],
  ];
  return keys.flatMap(([list, field, values]) =>
    values.flatMap((value, index) =>
      values.indexOf(value) < index
        ? [{ field: `${ROOT}.${list}.${index}.${field}`, message: `${value} stands in the list twice` }]
        : []
    )
  );
}
