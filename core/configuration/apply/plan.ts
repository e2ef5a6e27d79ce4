/**
 * What applying a document does, collected item by item.
 *
 * @module
 */
import type { FieldError } from "../../fields.ts";
import type { ConfigurationTransaction } from "../../ports/configuration.ts";
import type { Provider } from "../../ports/provider.ts";
import type { Changed } from "../change.ts";

/** What happens, or would happen, to one thing. Without secrets. */
export interface PlanStep {
  readonly action: "create" | "update" | "unchanged";
  readonly kind: string;
  readonly name: string;
  /** For an update, e.g. `rateMps: 1 → 5`. */
  readonly changes: readonly string[];
}

/** A secret that was made and is shown once. */
export interface MadeSecret {
  readonly kind: "platform" | "key";
  readonly name: string;
  readonly secret: string;
}

/** What came of a document. */
export interface Applied {
  readonly plan: readonly PlanStep[];
  readonly secrets: readonly MadeSecret[];
}

/** What fields' names begin with: the document stands under this name in a request. */
export const ROOT = "document";

/** What the items of a document are applied with. */
export interface Context {
  readonly tx: ConfigurationTransaction;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly plan: PlanStep[];
  readonly secrets: MadeSecret[];
  readonly errors: FieldError[];
}

/** Adds to the plan that one thing is made (`changed` is null), changed or as it was. */
export function step(
  context: Context,
  kind: string,
  name: string,
  changed: Changed<unknown> | null,
  changes: string[],
): void {
  const action = changed === null ? "create" : changed.changed ? "update" : "unchanged";
  context.plan.push({ action, kind, name, changes });
}
