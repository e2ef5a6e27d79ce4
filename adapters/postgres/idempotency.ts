/**
 * Answers to requests with an idempotency key. They may hold secrets that are shown once, so they are sealed.
 *
 * @module
 */
import type { ChangeOptions } from "../../core/ports/configuration.ts";
import { ConfigurationFault } from "../../core/ports/configuration.ts";
import type { SecretBox } from "../../core/ports/secret_box.ts";
import type { Executor } from "./configuration_rows.ts";

type Idempotency = NonNullable<ChangeOptions["idempotency"]>;

/**
 * The stored answer, if there is one.
 *
 * @throws {ConfigurationFault} `key-reused`
 */
export async function storedAnswer<T>(
  db: Executor,
  box: SecretBox,
  { key, fingerprint }: Idempotency,
): Promise<{ readonly result: T } | undefined> {
  const row = await db.selectFrom("idempotency").select(["fingerprint", "body"]).where("key", "=", key)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (row.fingerprint !== fingerprint) {
    throw new ConfigurationFault(
      "key-reused",
      "This Idempotency-Key came with another request before. Use a new key for a new request.",
    );
  }
  const sealed = Buffer.from(String(row.body), "base64");
  return { result: JSON.parse(box.open(sealed, `idempotency:${key}`)) };
}

/** Keeps an answer; in the same transaction as what it answers. */
export async function storeAnswer(
  db: Executor,
  box: SecretBox,
  { key, fingerprint }: Idempotency,
  result: unknown,
  now: Date,
): Promise<void> {
  const sealed = box.seal(JSON.stringify(result), `idempotency:${key}`);
  const body = Buffer.from(sealed).toString("base64");
  await db.insertInto("idempotency").values({ key, fingerprint, status: 200, body, created_at: now })
    .execute();
}
