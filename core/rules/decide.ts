/**
 * Where a contact's message that opens a session leads to.
 *
 * @module
 */
import type { Destination, OwnNumber } from "../channel.ts";
import type { Directory } from "../directory.ts";
import { assertNever } from "../errors.ts";
import { type Asked, firstMatch } from "./match.ts";
import type { RoutingRule } from "./rule.ts";

export interface RouteDecision {
  /** What decided; null: the number's own destination. */
  readonly rule: RoutingRule | null;
  readonly destination: Destination | null;
}

/**
 * The first rule that fits decides; where it names no destination, or one that takes nothing now, the number does, and
 * where the number's platform takes nothing now, that platform's fallback.
 */
export function decideRoute(
  directory: Directory,
  asked: Asked & { readonly number: Pick<OwnNumber, "destination"> },
): RouteDecision {
  const rule = firstMatch(directory.rules, asked, directory.calendars);
  // Something that was deleted or disabled since is no place to wait for: without a destination the session is seen
  // by supervisors.
  const own = asked.number.destination;
  const fallback = own?.kind === "platform" ? directory.platforms.get(own.id)?.fallback : undefined;
  const destination = [rule?.action.destination, own, fallback].find((one) =>
    one !== undefined && one !== null && destinationExists(one, directory)
  );
  return { rule, destination: destination ?? null };
}

/** Whether sessions can go there. */
export function destinationExists({ kind, id }: Destination, directory: Directory): boolean {
  switch (kind) {
    case "extension":
      return directory.extensions.has(id);
    case "queue":
      return directory.queues.has(id);
    case "platform":
      return directory.platforms.get(id)?.enabled === true;
    default:
      return assertNever(kind);
  }
}
