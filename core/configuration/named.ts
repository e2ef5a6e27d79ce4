/**
 * Other things that settings name: whether they are there.
 *
 * @module
 */
import type { Destination } from "../channel.ts";
import type { FieldError } from "../fields.ts";
import type { ConfigurationTransaction } from "../ports/configuration.ts";

/** What is wrong with the destination that stands in `field`: nothing, or that it does not exist. */
export async function destinationErrors(
  tx: ConfigurationTransaction,
  field: string,
  destination: Destination | null | undefined,
): Promise<FieldError[]> {
  if (destination === null || destination === undefined) return [];
  const { kind, id } = destination;
  const rows = { extension: tx.extensions, queue: tx.queues, platform: tx.platforms }[kind];
  if (await rows.get(id) !== undefined) return [];
  return [{ field: `${field}.id`, message: `there is no ${kind} ${id}` }];
}

/** What is wrong with the calendar that stands in `field`: nothing, or that it does not exist. */
export async function calendarErrors(
  tx: ConfigurationTransaction,
  field: string,
  id: string | null | undefined,
): Promise<FieldError[]> {
  if (id === null || id === undefined || await tx.calendars.get(id) !== undefined) return [];
  return [{ field, message: `there is no calendar ${id}` }];
}

/** What is wrong with the number that stands in `field` as one for calls: nothing, or why it is none. */
export async function inCallNumberErrors(
  tx: ConfigurationTransaction,
  field: string,
  id: string | null | undefined,
): Promise<FieldError[]> {
  if (id === null || id === undefined) return [];
  const number = await tx.numbers.get(id);
  if (number === undefined) return [{ field, message: `there is no number ${id}` }];
  return number.purpose === "in-call" ? [] : [{ field, message: `${number.number} is not for calls` }];
}
