/**
 * `/v1/sessions/reassign`: many sessions handed over at once, e.g. of an agent who went home.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { ApiKey, Directory, Role } from "../../../core/directory.ts";
import { repeatableKey } from "../../../core/command_key.ts";
import { type Ingress, UnavailableError } from "../../../core/ports/ingress.ts";
import type { SessionQueries } from "../../../core/ports/runtime_queries.ts";
import { SESSION_STATES, type SessionRow, type SessionState } from "../../../core/session.ts";
import type { AppDeps, RouteModule } from "../deps.ts";
import { pageQuery } from "../paging.ts";
import { invalidFields, Problem } from "../problem.ts";
import { allow, IdempotencyHeader, json, jsonBody, problems } from "../route.ts";
import { carryOut } from "./commands.ts";
import { ContactField, idField, NoteField, TimeField } from "./fields.ts";

export interface ReassignRoutesDeps {
  readonly ingress: Ingress;
  readonly sessions: SessionQueries;
}

const STEERERS: readonly Role[] = ["administrator", "supervisor"];
const SESSIONS_MAX = 500;
const SESSIONS_DEFAULT = 100;
/** Commands under way at once: they are answered when they are committed. */
const AT_ONCE = 50;

const OPEN_STATES = SESSION_STATES.filter((state) => state !== "closed");

const Holder = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("extension"), id: idField("extension") }).strict(),
  z.object({ kind: z.literal("queue"), id: idField("queue") }).strict(),
]);

const route = createRoute({
  method: "post",
  path: "/v1/sessions/reassign",
  tags: ["Supervision"],
  summary: "Hands sessions of an extension or a queue over to another, up to `limit` at a time",
  description:
    "Answers with what became of each; one that cannot be handed over does not hold up the others. Go on with `next` " +
    "as `cursor` until it is null. The same request again moves nothing twice: what is moved is no longer there.",
  ...allow(...STEERERS),
  request: {
    headers: IdempotencyHeader,
    ...jsonBody(
      z.object({
        from: Holder,
        to: Holder,
        states: z.array(z.enum(OPEN_STATES)).min(1).optional().openapi({
          description: "Left out: of an extension the active ones, of a queue those that wait or are offered",
        }),
        contact: ContactField.optional(),
        openedBefore: TimeField.optional(),
        note: NoteField.optional().openapi({ description: "For whoever takes them over" }),
        limit: z.number().int().min(1).max(SESSIONS_MAX).default(SESSIONS_DEFAULT),
        cursor: pageQuery.cursor,
      }).strict(),
    ),
  },
  responses: {
    200: json(
      z.object({
        items: z.array(z.object({
          sessionId: z.string(),
          ok: z.boolean(),
          detail: z.string().optional().openapi({ description: "Why it was not handed over" }),
        })),
        moved: z.number().int(),
        failed: z.number().int(),
        next: z.string().nullable(),
      }),
      "What became of each of them",
    ),
    ...problems(422),
  },
});

/** `/v1/sessions/reassign`. */
export function reassignRoutes(own: ReassignRoutesDeps): RouteModule {
  return (app, deps) => {
    app.openapi(route, async (c) => {
      const { from, to, states, contact, openedBefore, note, limit, cursor } = c.req.valid("json");
      refuseImpossible(deps.directory.current(), from, to);
      const wanted: readonly SessionState[] = states ??
        (from.kind === "extension" ? ["active"] : ["waiting", "offered"]);
      const rows = await own.sessions.list(
        {
          states: wanted,
          ...(from.kind === "extension" ? { extensionId: from.id } : { queueId: from.id }),
          ...(contact === undefined ? {} : { contact }),
          ...(openedBefore === undefined ? {} : { toMs: openedBefore }),
        },
        { kind: "all" },
        { limit: limit + 1, ...(cursor === undefined ? {} : { before: cursor }) },
      );
      const page = rows.slice(0, limit);
      const repeatable = c.req.valid("header")["idempotency-key"];
      const move = (session: SessionRow) =>
        handOver(own.ingress, deps, c.get("key"), session, {
          to,
          ...(note === undefined ? {} : { note }),
          ...(repeatable === undefined ? {} : { repeatable }),
        });
      const items = [];
      for (let start = 0; start < page.length; start += AT_ONCE) {
        items.push(...await Promise.all(page.slice(start, start + AT_ONCE).map(move)));
      }
      const moved = items.filter(({ ok }) => ok).length;
      const next = rows.length > limit ? page.at(-1)!.id : null;
      return c.json({ items, moved, failed: items.length - moved, next }, 200);
    });
  };
}

type Held = z.output<typeof Holder>;

function refuseImpossible(directory: Directory, from: Held, to: Held): void {
  const errors = [{ field: "from.id", holder: from }, { field: "to.id", holder: to }].flatMap(
    ({ field, holder }) => {
      const there = holder.kind === "extension" ? directory.extensions : directory.queues;
      return there.has(holder.id) ? [] : [{ field, message: `there is no ${holder.kind} ${holder.id}` }];
    },
  );
  if (errors.length === 0 && from.kind === to.kind && from.id === to.id) {
    errors.push({ field: "to.id", message: "is who has them" });
  }
  if (errors.length > 0) throw invalidFields(errors);
}

interface HandOver {
  readonly to: Held;
  readonly note?: string;
  /** The caller's idempotency key. */
  readonly repeatable?: string;
}

async function handOver(
  ingress: Ingress,
  deps: AppDeps,
  key: ApiKey,
  session: SessionRow,
  { repeatable, ...transfer }: HandOver,
): Promise<{ sessionId: string; ok: boolean; detail?: string }> {
  const context = {
    ingress,
    directory: deps.directory.current(),
    now: deps.now,
    key,
    // Each session's command is repeatable by itself.
    idempotencyKey: repeatable === undefined ? undefined : repeatableKey(repeatable, session.id),
    path: "/v1/sessions/reassign",
  };
  try {
    await carryOut(context, session, { kind: "transfer", sessionId: session.id, ...transfer });
    return { sessionId: session.id, ok: true };
  } catch (error) {
    if (!(error instanceof Problem || error instanceof UnavailableError)) throw error;
    return { sessionId: session.id, ok: false, detail: error.message };
  }
}
