/**
 * Changing the configuration on behalf of a request.
 *
 * @module
 */
import type { Context } from "hono";
import { sha256Hex } from "../../core/hash.ts";
import type { ConfigurationTransaction } from "../../core/ports/configuration.ts";
import type { ApiEnv } from "./context.ts";
import type { AppDeps } from "./deps.ts";
import { Problem } from "./problem.ts";

/**
 * Runs `work` in one transaction, in the name of the request's key, and makes the change known before it resolves:
 * whoever has the answer reads the change. On a POST an `Idempotency-Key` is honoured; the result must survive JSON.
 */
export async function changeConfiguration<T>(
  c: Context<ApiEnv>,
  deps: AppDeps,
  work: (tx: ConfigurationTransaction) => Promise<T>,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<T> {
  const caller = c.get("key").id;
  const idempotencyKey = c.req.method === "POST" && !dryRun ? c.req.header("idempotency-key") : undefined;
  const { result, repeated } = await deps.configuration.change({
    actor: `key:${caller}`,
    dryRun,
    ...(idempotencyKey === undefined ? {} : {
      idempotency: { key: `${caller}:${readKey(idempotencyKey)}`, fingerprint: await fingerprint(c) },
    }),
  }, work);
  if (repeated) c.header("idempotency-replayed", "true");
  if (dryRun || repeated) return result;
  try {
    await deps.directory.refresh();
  } catch (error) {
    // The change is committed all the same; this process gets it with its next look at the version.
    deps.onError(error, { method: c.req.method, path: c.req.path });
  }
  deps.announceChange();
  return result;
}

function readKey(text: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/.test(text)) return text;
  throw new Problem(400, "The Idempotency-Key must be 1 to 200 printable ASCII characters.", {
    errors: [{ field: "Idempotency-Key", message: "must be 1 to 200 printable ASCII characters" }],
  });
}

/** What was asked for: the same key with another fingerprint is a caller's mistake. */
async function fingerprint(c: Context<ApiEnv>): Promise<string> {
  const body = await c.req.text();
  return sha256Hex(`${c.req.method} ${c.req.path}\n${body}`);
}
