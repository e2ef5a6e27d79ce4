/**
 * Who is calling: API keys as bearer tokens, known by their SHA-256 only, and what each role may do.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { keyHash } from "../../core/configuration/keys.ts";
import type { ApiKey, Role } from "../../core/directory.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { ApiEnv } from "./context.ts";
import { Problem } from "./problem.ts";

/** Every role. */
export const ANYONE: readonly Role[] = ["administrator", "supervisor", "agent", "platform", "read-only"];
/** Those who see all, whether or not they may change it. */
export const READERS: readonly Role[] = ["administrator", "supervisor", "read-only"];
export const ADMINISTRATORS: readonly Role[] = ["administrator"];

/** The key that `authorization` names, if it is known and in force. */
export function findKey(
  directory: DirectorySource,
  authorization: string | undefined,
  nowMs: number,
): ApiKey | undefined {
  const match = /^Bearer +([\x21-\x7e]{1,200})$/i.exec(authorization ?? "");
  if (match === null) return undefined;
  const key = directory.current().keys.get(keyHash(match[1]!));
  if (key === undefined || (key.expiresMs !== null && key.expiresMs <= nowMs)) return undefined;
  return key;
}

/** Puts the caller's key into the context, or ends the request with 401. */
export function authenticate(directory: DirectorySource, now: () => number): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const key = findKey(directory, c.req.header("authorization"), now());
    if (key === undefined) {
      throw new Problem(401, "Send a valid API key as `Authorization: Bearer KEY`.", {
        headers: { "www-authenticate": "Bearer" },
      });
    }
    c.set("key", key);
    await next();
  };
}

/** Lets only these roles pass; the others get 403. */
export function requireRole(...roles: readonly Role[]): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const { role } = c.get("key");
    if (!roles.includes(role)) {
      throw new Problem(403, `A key with the role ${role} may not do this; it needs ${roles.join(" or ")}.`);
    }
    await next();
  };
}
