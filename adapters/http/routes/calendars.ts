/**
 * `/v1/calendars`
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { CalendarSettingsSchema } from "../../../core/calendar/calendar.ts";
import { isOpen, nextChange } from "../../../core/calendar/hours.ts";
import { existing } from "../../../core/configuration/change.ts";
import {
  CalendarInputSchema,
  CalendarPatchSchema,
  calendarView,
  createCalendar,
  removeCalendar,
  updateCalendar,
} from "../../../core/configuration/calendars.ts";
import { ADMINISTRATORS, ANYONE } from "../auth.ts";
import { changeConfiguration } from "../change.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { allow, IdempotencyHeader, IdParam, json, jsonBody, problems } from "../route.ts";
import { TimeQuery, TimeSchema } from "../times.ts";

const tags = ["Calendars"];

export const CalendarSchema = z.object({
  id: z.string(),
  name: z.string(),
  ...CalendarSettingsSchema.shape,
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
}).openapi("Calendar");

const list = createRoute({
  method: "get",
  path: "/v1/calendars",
  tags,
  summary: "List calendars",
  ...allow(...ANYONE),
  request: { query: z.object(pageQuery).strict() },
  responses: { 200: json(pageOf(CalendarSchema), "One page"), ...problems() },
});

const create = createRoute({
  method: "post",
  path: "/v1/calendars",
  tags,
  summary: "Add a calendar",
  ...allow(...ADMINISTRATORS),
  request: { headers: IdempotencyHeader, ...jsonBody(CalendarInputSchema) },
  responses: { 201: json(CalendarSchema, "It is there"), ...problems(409, 422) },
});

const read = createRoute({
  method: "get",
  path: "/v1/calendars/{id}",
  tags,
  summary: "One calendar",
  ...allow(...ANYONE),
  request: { params: IdParam },
  responses: { 200: json(CalendarSchema, "The calendar"), ...problems(404) },
});

const readState = createRoute({
  method: "get",
  path: "/v1/calendars/{id}/state",
  tags,
  summary: "Whether a calendar is open, and until when",
  ...allow(...ANYONE),
  request: {
    params: IdParam,
    query: z.object({ at: TimeQuery.optional().openapi({ description: "Left out: now" }) }).strict(),
  },
  responses: {
    200: json(
      z.object({
        at: TimeSchema,
        open: z.boolean(),
        changesAt: TimeSchema.nullable().openapi({ description: "Null: never again" }),
      }),
      "Its state",
    ),
    ...problems(404),
  },
});

const update = createRoute({
  method: "patch",
  path: "/v1/calendars/{id}",
  tags,
  summary: "Change a calendar",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam, ...jsonBody(CalendarPatchSchema) },
  responses: { 200: json(CalendarSchema, "As it is now"), ...problems(404, 409) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/calendars/{id}",
  tags,
  summary: "Remove a calendar",
  description: "Refused while a queue or a rule names it.",
  ...allow(...ADMINISTRATORS),
  request: { params: IdParam },
  responses: { 204: { description: "It is gone" }, ...problems(404, 409) },
});

export function calendarRoutes(app: App, deps: AppDeps): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await deps.configuration.read((reader) =>
      reader.calendars.list({ after: cursor, limit: limit + 1 })
    );
    const page = pageFrom(rows, limit);
    return c.json({ ...page, items: page.items.map(calendarView) }, 200);
  });
  app.openapi(create, async (c) => {
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => calendarView(await createCalendar(tx, c.req.valid("json"))),
    );
    c.header("location", `/v1/calendars/${view.id}`);
    return c.json(view, 201);
  });
  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const row = await deps.configuration.read((reader) => existing(reader.calendars, "calendar", id));
    return c.json(calendarView(row), 200);
  });
  app.openapi(readState, async (c) => {
    const { id } = c.req.valid("param");
    const row = await deps.configuration.read((reader) => existing(reader.calendars, "calendar", id));
    const at = c.req.valid("query").at?.getTime() ?? deps.now();
    const changes = nextChange(row, at);
    const time = (ms: number) => new Date(ms).toISOString();
    return c.json(
      { at: time(at), open: isOpen(row, at), changesAt: changes === null ? null : time(changes) },
      200,
    );
  });
  app.openapi(update, async (c) => {
    const { id } = c.req.valid("param");
    const view = await changeConfiguration(
      c,
      deps,
      async (tx) => calendarView((await updateCalendar(tx, id, c.req.valid("json"))).after),
    );
    return c.json(view, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await changeConfiguration(c, deps, (tx) => removeCalendar(tx, id));
    return c.body(null, 204);
  });
}
