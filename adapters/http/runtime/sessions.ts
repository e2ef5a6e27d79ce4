/**
 * `/v1/sessions`: listing, searching, opening and reading.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { ApiKey, Role } from "../../../core/directory.ts";
import { SESSION_KINDS, SESSION_STATES } from "../../../core/session.ts";
import { ANYONE } from "../auth.ts";
import type { App } from "../context.ts";
import type { AppDeps, RouteModule } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, json, jsonBody, problems } from "../route.ts";
import { maySee, viewerOf } from "./caller.ts";
import { actingExtension, carryOut, noSession, ownNumber } from "./commands.ts";
import { AddressQuery, ContactField, idField, idParam, OwnNumberField, spanQuery } from "./fields.ts";
import { ReadingNotes } from "./reading_notes.ts";
import { registerSessionCommands, type SessionRoutesDeps } from "./session_commands.ts";
import { registerSessionNotes } from "./session_notes.ts";
import { MessageView, messageView, SessionDetail, sessionDetail, SessionView, sessionView } from "./views.ts";

export type { SessionRoutesDeps };

/** Those who speak with contacts for themselves or steer those who do. */
const OPENERS: readonly Role[] = ["administrator", "supervisor", "agent"];

const listRoute = createRoute({
  method: "get",
  path: "/v1/sessions",
  tags: ["Sessions"],
  summary: "Sessions, newest first; agents and platforms get their own",
  ...allow(...ANYONE),
  request: {
    query: z.object({
      ...pageQuery,
      ...spanQuery,
      state: z.enum(SESSION_STATES).optional(),
      kind: z.enum(SESSION_KINDS).optional(),
      extensionId: idField("extension").optional(),
      queueId: idField("queue").optional(),
      platformId: idField("platform").optional(),
      number: AddressQuery.optional(),
      contact: AddressQuery.optional(),
    }),
  },
  responses: { 200: json(pageOf(SessionView), "One page"), ...problems() },
});

const openRoute = createRoute({
  method: "post",
  path: "/v1/sessions",
  tags: ["Sessions"],
  summary: "Opens a session with a contact; one that the extension holds already is answered with",
  ...allow(...OPENERS),
  request: {
    headers: IdempotencyHeader,
    ...jsonBody(
      z.object({
        from: OwnNumberField,
        to: ContactField,
        extensionId: idField("extension").optional().openapi({
          description: "Who holds it; agents leave it out",
        }),
        queueId: idField("queue").optional().openapi({
          description: "The queue that it counts for; the extension must be a member",
        }),
      }).strict(),
    ),
  },
  responses: { 201: json(SessionDetail, "The open session"), ...problems(404, 409, 422) },
});

const getRoute = createRoute({
  method: "get",
  path: "/v1/sessions/{id}",
  tags: ["Sessions"],
  summary: "A session with its history",
  ...allow(...ANYONE),
  request: { params: idParam("session") },
  responses: { 200: json(SessionDetail, "The session"), ...problems(404) },
});

const messagesRoute = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/messages",
  tags: ["Sessions"],
  summary: "A session's messages in the order of the conversation",
  ...allow(...ANYONE),
  request: {
    params: idParam("session"),
    query: z.object({
      limit: pageQuery.limit,
      cursor: z.coerce.number().int().min(0).max(2_147_483_647).default(0)
        .openapi({ description: "The `next` of the former page" }),
    }),
  },
  responses: { 200: json(pageOf(MessageView), "One page"), ...problems(404) },
});

/** `/v1/sessions` and everything below it. */
export function sessionRoutes(own: SessionRoutesDeps): RouteModule {
  return (app, deps) => {
    registerReading(app, deps, own);
    registerOpening(app, deps, own);
    registerSessionCommands(app, deps, own);
    registerSessionNotes(app, deps, own);
  };
}

function registerReading(app: App, deps: AppDeps, { sessions, media }: SessionRoutesDeps): void {
  const notes = new ReadingNotes(deps.configuration, deps.now);
  app.openapi(listRoute, async (c) => {
    const { limit, cursor, from, to, ...filter } = c.req.valid("query");
    const rows = await sessions.list(
      {
        ...filter,
        ...(from === undefined ? {} : { fromMs: from }),
        ...(to === undefined ? {} : { toMs: to }),
      },
      viewerOf(c.get("key"), deps.directory.current()),
      { limit: limit + 1, ...(cursor === undefined ? {} : { before: cursor }) },
    );
    return c.json(pageFrom(rows.map(sessionView), limit), 200);
  });

  app.openapi(getRoute, async (c) => {
    const session = await visible(c.req.valid("param").id, c.get("key"));
    return c.json(sessionDetail(session), 200);
  });

  app.openapi(messagesRoute, async (c) => {
    const session = await visible(c.req.valid("param").id, c.get("key"));
    await notes.of(c.get("key"), session);
    const { limit, cursor } = c.req.valid("query");
    const rows = await sessions.messages(session, { afterPosition: cursor, limit: limit + 1 });
    const items = rows.slice(0, limit).map((row) =>
      messageView(row, { links: media.links, nowMs: deps.now() })
    );
    const next = rows.length > limit ? String(items.at(-1)!.position) : null;
    return c.json({ items, next }, 200);
  });

  async function visible(id: string, key: ApiKey) {
    const session = await sessions.get(id);
    if (session === undefined || !maySee(viewerOf(key, deps.directory.current()), session)) {
      throw noSession(id);
    }
    return session;
  }
}

function registerOpening(app: App, deps: AppDeps, { ingress, sessions }: SessionRoutesDeps): void {
  app.openapi(openRoute, async (c) => {
    const body = c.req.valid("json");
    const key = c.get("key");
    const directory = deps.directory.current();
    const number = ownNumber(directory, body.from);
    const { sessionId } = await carryOut(
      {
        ingress,
        directory,
        now: deps.now,
        key,
        idempotencyKey: c.req.valid("header")["idempotency-key"],
        path: c.req.path,
      },
      { number: number.number, contact: body.to },
      {
        kind: "open",
        extensionId: actingExtension(key, body.extensionId),
        ...(body.queueId === undefined ? {} : { queueId: body.queueId }),
      },
    );
    const session = sessionId === undefined ? undefined : await sessions.get(sessionId);
    if (session === undefined) throw new Error(`the session ${sessionId} was opened but is not there`);
    c.header("location", `/v1/sessions/${session.id}`);
    return c.json(sessionDetail(session), 201);
  });
}
