/**
 * How requests below `/v1/sessions/{id}` reach their session.
 *
 * @module
 */
import type { Context } from "hono";
import type { Command, CommandReply } from "../../../core/entry.ts";
import type { Ingress } from "../../../core/ports/ingress.ts";
import type { SessionQueries } from "../../../core/ports/runtime_queries.ts";
import type { SessionRow } from "../../../core/session.ts";
import type { ApiEnv } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { mayAddress, viewerOf } from "./caller.ts";
import { carryOut, type CommandContext, noSession } from "./commands.ts";
import { sessionDetail } from "./views.ts";

/** What the requests of one session have in common. */
export function sessionAccess(
  deps: AppDeps,
  own: { readonly ingress: Ingress; readonly sessions: SessionQueries },
) {
  const context = (c: Context<ApiEnv>): CommandContext => ({
    ingress: own.ingress,
    directory: deps.directory.current(),
    now: deps.now,
    key: c.get("key"),
    idempotencyKey: c.req.header("idempotency-key"),
    path: c.req.path,
  });
  return {
    context,

    /**
     * The session in the path, where the key's commands about it may go to its owner.
     *
     * @throws {Problem} 404
     */
    async addressed(c: Context<ApiEnv>): Promise<SessionRow> {
      const id = c.req.param("id") ?? "";
      const session = await own.sessions.get(id);
      if (session === undefined) throw noSession(id);
      if (!mayAddress(viewerOf(c.get("key"), deps.directory.current()), session)) throw noSession(id);
      return session;
    },

    /** Resolves once the command is committed; see {@link carryOut}. */
    command(c: Context<ApiEnv>, session: SessionRow, what: Command): Promise<CommandReply & { ok: true }> {
      return carryOut(context(c), session, what);
    },

    /** The session after a command. */
    async asNow(session: SessionRow) {
      return sessionDetail(await own.sessions.get(session.id) ?? session);
    },
  };
}
