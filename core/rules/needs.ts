/**
 * What has to be found out before the rules can be asked.
 *
 * @module
 */
import type { RoutingRule } from "./rule.ts";

/** Whether a rule asks for what is noted of the contact. */
export function asksForContact(rules: readonly RoutingRule[]): boolean {
  return rules.some(({ enabled, match }) =>
    enabled && (match.attributes !== undefined || match.languages !== undefined)
  );
}

/** Whether a rule asks for the language. */
export function asksForLanguage(rules: readonly RoutingRule[]): boolean {
  return rules.some(({ enabled, match }) => enabled && match.languages !== undefined);
}
