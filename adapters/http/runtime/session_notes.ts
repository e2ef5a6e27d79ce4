/**
 * `/v1/sessions/{id}/notes` and `/v1/sessions/{id}/tags`: what people write about a session for each other.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { Role } from "../../../core/directory.ts";
import { type SessionNote, TAGS_MAX, TagSchema } from "../../../core/session_notes.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, json, jsonBody, problems } from "../route.ts";
import { TimeSchema } from "../times.ts";
import { maySee, viewerOf } from "./caller.ts";
import { noSession } from "./commands.ts";
import { idParam, NoteField } from "./fields.ts";
import { sessionAccess } from "./session_access.ts";
import type { SessionRoutesDeps } from "./session_commands.ts";
import { SessionDetail } from "./views.ts";

const WRITERS: readonly Role[] = ["administrator", "supervisor", "agent", "platform"];
const READERS: readonly Role[] = [...WRITERS, "read-only"];

const tags = ["Sessions"];

const NoteView = z.object({
  id: z.string(),
  at: TimeSchema,
  by: z.string().openapi({ description: "E.g. `extension:ext_…`" }),
  text: z.string(),
}).openapi("SessionNote");

const listRoute = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/notes",
  tags,
  summary: "A session's notes, oldest first, with those that it was handed over with",
  ...allow(...READERS),
  request: { params: idParam("session"), query: z.object(pageQuery) },
  responses: { 200: json(pageOf(NoteView), "One page"), ...problems(404) },
});

const addRoute = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/notes",
  tags,
  summary: "Adds a note, also after the session was closed; the contact does not see it",
  ...allow(...WRITERS),
  request: {
    params: idParam("session"),
    headers: IdempotencyHeader,
    ...jsonBody(z.object({ text: NoteField.min(1) }).strict()),
  },
  responses: { 201: json(NoteView, "It is kept"), ...problems(404, 409, 422) },
});

const tagRoute = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/tags",
  tags,
  summary: "Sets and takes off tags of an open session",
  ...allow(...WRITERS),
  request: {
    params: idParam("session"),
    headers: IdempotencyHeader,
    ...jsonBody(
      z.object({
        add: z.array(TagSchema).max(TAGS_MAX).default([]),
        remove: z.array(TagSchema).max(TAGS_MAX).default([]),
      }).strict(),
    ),
  },
  responses: { 200: json(SessionDetail, "The session as it is now"), ...problems(404, 409, 422) },
});

function noteView({ id, at_ms, by, text }: SessionNote): z.output<typeof NoteView> {
  return { id, at: new Date(at_ms).toISOString(), by, text };
}

/** Notes and tags below `/v1/sessions/{id}`. */
export function registerSessionNotes(app: App, deps: AppDeps, own: SessionRoutesDeps): void {
  const { addressed, command, asNow } = sessionAccess(deps, own);

  app.openapi(listRoute, async (c) => {
    const session = await addressed(c);
    // Who may not read the session may not read what is written about it either.
    if (!maySee(viewerOf(c.get("key"), deps.directory.current()), session)) throw noSession(session.id);
    const { limit, cursor } = c.req.valid("query");
    const notes = await own.sessions.notes(session.id, {
      limit: limit + 1,
      ...(cursor === undefined ? {} : { after: cursor }),
    });
    return c.json(pageFrom(notes.map(noteView), limit), 200);
  });

  app.openapi(addRoute, async (c) => {
    const session = await addressed(c);
    const { text } = c.req.valid("json");
    const { noteId } = await command(c, session, { kind: "note", sessionId: session.id, text });
    const note = noteId === undefined ? undefined : await own.sessions.note(noteId);
    if (note === undefined) throw new Error(`the note ${noteId} was taken but is not there`);
    return c.json(noteView(note), 201);
  });

  app.openapi(tagRoute, async (c) => {
    const session = await addressed(c);
    const { add, remove } = c.req.valid("json");
    await command(c, session, { kind: "tag", sessionId: session.id, add, remove });
    return c.json(await asNow(session), 200);
  });
}
