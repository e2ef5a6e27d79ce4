/**
 * The first administrator's key.
 *
 * @module
 */
import { createKey, ensureAdministratorKey, hasAdministrator } from "../../core/configuration/keys.ts";
import type { ConfigurationStore } from "../../core/ports/configuration.ts";

/**
 * Makes sure that there is an administrator. A `given` key is made to work; without one, an installation that has
 * no administrator gets a new key, which is returned: it cannot be shown again.
 */
export async function ensureAdministrator(
  configuration: ConfigurationStore,
  given: string | null,
): Promise<string | null> {
  const { result } = await configuration.change({ actor: "system" }, async (tx) => {
    if (given !== null) {
      await ensureAdministratorKey(tx, given);
      return null;
    }
    if (await hasAdministrator(tx)) return null;
    return (await createKey(tx, { name: "First administrator", role: "administrator" })).secret;
  });
  return result;
}
