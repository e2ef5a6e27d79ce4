/**
 * Fields that the runtime's routes share: texts, addresses, times and ids.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { ID_PREFIX, type IdKind, isId } from "../../../core/ids.ts";
import { parseAddress } from "../../../core/phone_number.ts";

/** No channel takes longer texts; what a channel takes is its own setting. */
const TEXT_UNITS_MAX = 10_000;

/** A message's text; may be empty where media make up for it. */
export const TextField = z.string().max(TEXT_UNITS_MAX);

export const PartsField = z.array(z.string()).optional().openapi({
  description: "Of a text that the channel split: the ids of all its messages in order. " +
    "Encoding and segments are those of all of them together",
});

export const NoteField = z.string().max(2_000);

/** A number of ours as callers name it: its id, or the number itself. */
export const OwnNumberField = z.string().min(1).max(64).openapi({
  description: "Id of one of our numbers, or the number itself",
  example: "+15550001111",
});

/** A contact's phone number, read into E.164. */
export const ContactField = z.string().min(1).max(64).transform((text, context) => {
  const address = parseAddress(text);
  if (address?.kind === "e164") return address.value;
  context.addIssue({
    code: "custom",
    message: "not a phone number in international form, such as +15551234567",
  });
  return z.NEVER;
}).openapi({ type: "string", description: "E.164", example: "+15551234567" });

/** An address to look for. A "+" that was not escaped in the query came as a blank, which parsing allows for. */
export const AddressQuery = z.string().min(1).max(64).transform((text, context) => {
  const address = parseAddress(text);
  if (address !== null) return address.value;
  context.addIssue({ code: "custom", message: "neither a phone number nor a short code nor a sender ID" });
  return z.NEVER;
}).openapi({ type: "string", example: "+15551234567" });

/** RFC 3339, read into milliseconds since 1970. */
export const TimeField = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
  .openapi({ type: "string", format: "date-time" });

/** The id of a thing of `kind`. */
export function idField(kind: IdKind) {
  return z.string().max(64).refine((text) => isId(kind, text), `not an id of the form ${ID_PREFIX[kind]}_…`);
}

/** `/{id}` in the path of a thing of `kind`. */
export function idParam(kind: IdKind) {
  return z.object({ id: idField(kind).openapi({ param: { name: "id", in: "path" } }) });
}

/** Spread into a list's query schema: bounds by the time that something was made. */
export const spanQuery = {
  from: TimeField.optional().openapi({ description: "Made at or after this time" }),
  to: TimeField.optional().openapi({ description: "Made before this time" }),
};
