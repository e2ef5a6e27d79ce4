/**
 * The guests that the embedded nats-server knew last, kept beside its streams: it is started with them, so that they
 * can connect before the database says who they are.
 *
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import type { BrokerGuest } from "../../core/ports/broker_guests.ts";

const GuestsSchema = z.array(z.object({
  account: z.string().regex(/^[A-Za-z0-9_-]+$/),
  publicKey: z.string().regex(/^U[A-Z2-7]{55}$/),
  streams: z.array(z.string()),
  services: z.array(
    z.object({ subject: z.string(), to: z.string(), isStreamed: z.boolean().exactOptional() }),
  ),
}));

const fileIn = (folder: string) => join(folder, "guests.json");

/** None where the file is missing or damaged: the database brings them. */
export function readGuests(folder: string): readonly BrokerGuest[] {
  try {
    return GuestsSchema.parse(JSON.parse(Deno.readTextFileSync(fileIn(folder))));
  } catch {
    return [];
  }
}

export function sameGuests(a: readonly BrokerGuest[], b: readonly BrokerGuest[]): boolean {
  // Parsed, so that all have their fields in the same order.
  return JSON.stringify(GuestsSchema.parse(a)) === JSON.stringify(GuestsSchema.parse(b));
}

export function writeGuests(folder: string, guests: readonly BrokerGuest[]): void {
  const temporary = `${fileIn(folder)}.new`;
  Deno.writeTextFileSync(temporary, JSON.stringify(guests), { mode: 0o600 });
  Deno.renameSync(temporary, fileIn(folder));
}
