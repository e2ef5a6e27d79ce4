/**
 * The first administrator's key.
 *
 * @module
 */
import { createKey, keyHash } from "../../core/configuration/keys.ts";
import type {
  ConfigurationStore,
  ConfigurationTransaction,
  KeyRecord,
} from "../../core/ports/configuration.ts";

/**
 * Makes sure that there is an administrator. A `given` key is made to work; without one, an installation that has
 * no administrator gets a new key, which is returned: it cannot be shown again.
 */
export async function ensureAdministrator(
  configuration: ConfigurationStore,
  given: string | null,
): Promise<string | null> {
  const { result } = await configuration.change({ actor: "system" }, async (tx) => {
    const keys = await allKeys(tx);
    if (given !== null) {
      const hash = keyHash(given);
      if (keys.some((key) => key.hash === hash)) return { key: null };
      const row: KeyRecord = {
        id: tx.newId("key"),
        name: "Administrator of the environment",
        role: "administrator",
        extensionId: null,
        platformId: null,
        hash,
        expiresAt: null,
        createdAt: tx.now,
      };
      await tx.keys.insert(row);
      await tx.record({
        action: "create",
        kind: "key",
        target: row.id,
        before: null,
        after: { name: row.name },
      });
      return { key: null };
    }
    if (keys.some((key) => key.role === "administrator")) return { key: null };
    const made = await createKey(tx, { name: "First administrator", role: "administrator" });
    return { key: made.secret };
  });
  return result.key;
}

const PAGE = 200;

async function allKeys(tx: ConfigurationTransaction): Promise<KeyRecord[]> {
  const keys = await tx.keys.list({ limit: PAGE });
  while (keys.length > 0 && keys.length % PAGE === 0) {
    const page = await tx.keys.list({ after: keys.at(-1)!.id, limit: PAGE });
    if (page.length === 0) break;
    keys.push(...page);
  }
  return keys;
}
