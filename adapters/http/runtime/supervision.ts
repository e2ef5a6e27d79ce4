/**
 * `/v1/supervision`: the live tables of agents and of waiting contacts, and a word to an agent.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { Directory, Extension, Role } from "../../../core/directory.ts";
import { PRESENCES } from "../../../core/dispatch/entry.ts";
import type { DispatchQueries } from "../../../core/ports/dispatch_queries.ts";
import type { HeldSessions, SupervisionQueries, WaitingSession } from "../../../core/ports/supervision.ts";
import { READERS } from "../auth.ts";
import type { App } from "../context.ts";
import type { AppDeps, RouteModule } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { invalidFields, Problem } from "../problem.ts";
import { allow, IdempotencyHeader, json, jsonBody, problems } from "../route.ts";
import { agentMessage, type TellAgent } from "./agent_message.ts";
import { idField, idParam, NoteField, TimeField } from "./fields.ts";
import { PresenceView, presenceView } from "./presence.ts";

export interface SupervisionRoutesDeps {
  readonly supervision: SupervisionQueries;
  readonly dispatch: DispatchQueries;
  readonly tellAgent: TellAgent;
}

const STEERERS: readonly Role[] = ["administrator", "supervisor"];
const DAY_MS = 86_400_000;

const AgentRow = PresenceView.extend({
  extension: z.string(),
  name: z.string(),
  queueIds: z.array(z.string()),
  secondsInState: z.number().int().nullable().openapi({ description: "Null: the presence never changed" }),
  capacity: z.number().int().nullable().openapi({ description: "Sessions at once; null: any number" }),
  offered: z.number().int(),
  active: z.number().int(),
  wrapUp: z.number().int(),
  completed: z.number().int().openapi({ description: "Sessions closed since `since`" }),
  channels: z.array(z.object({ channelId: z.string(), active: z.number().int() })).openapi({
    description: "On which channels the active ones are",
  }),
}).openapi("AgentAtWork");

const agentsRoute = createRoute({
  method: "get",
  path: "/v1/supervision/agents",
  tags: ["Supervision"],
  summary: "Agents as they are now: presence, how long in it, what they have and what they have done",
  ...allow(...READERS),
  request: {
    query: z.object({
      ...pageQuery,
      queueId: idField("queue").optional().openapi({ description: "Members of this queue" }),
      presence: z.enum(PRESENCES).optional(),
      since: TimeField.optional().openapi({
        description: "From when on `completed` counts; left out: midnight, UTC",
      }),
    }).strict(),
  },
  responses: { 200: json(pageOf(AgentRow), "One page"), ...problems() },
});

const waitingRoute = createRoute({
  method: "get",
  path: "/v1/supervision/waiting",
  tags: ["Supervision"],
  summary: "Contacts who wait, those first who wait longest; `/v1/queues/{id}/live` has one queue's line",
  ...allow(...READERS),
  request: { query: z.object({ ...pageQuery, queueId: idField("queue").optional() }).strict() },
  responses: {
    200: json(
      pageOf(z.object({
        sessionId: z.string(),
        queueId: z.string().nullable(),
        channelId: z.string(),
        number: z.string(),
        contact: z.string(),
        state: z.enum(["waiting", "offered"]),
        offeredTo: z.string().nullable(),
        priority: z.number().int(),
        language: z.string().nullable(),
        waitingSince: z.iso.datetime(),
        waitSeconds: z.number().int(),
      })),
      "One page",
    ),
    ...problems(),
  },
});

const messageRoute = createRoute({
  method: "post",
  path: "/v1/supervision/agents/{id}/message",
  tags: ["Supervision"],
  summary: "Tells an agent something: the event `agent.message` on the agent's event stream",
  description: "It is kept with the other events: an agent who is away gets it on coming back to the stream.",
  ...allow(...STEERERS),
  request: {
    params: idParam("extension"),
    headers: IdempotencyHeader,
    ...jsonBody(z.object({ text: NoteField.min(1) }).strict()),
  },
  responses: {
    202: json(z.object({ id: z.string().openapi({ description: "Of the event" }) }), "It is on its way"),
    ...problems(404),
  },
});

/** `/v1/supervision`. */
export function supervisionRoutes(own: SupervisionRoutesDeps): RouteModule {
  return (app, deps) => {
    registerAgents(app, deps, own);
    registerWaiting(app, deps, own);
    app.openapi(messageRoute, async (c) => {
      const { id } = c.req.valid("param");
      if (!deps.directory.current().extensions.has(id)) {
        throw new Problem(404, `There is no extension ${id}.`);
      }
      const key = c.get("key");
      const event = agentMessage({
        key,
        extensionId: id,
        text: c.req.valid("json").text,
        atMs: deps.now(),
        idempotencyKey: c.req.valid("header")["idempotency-key"],
      });
      await own.tellAgent(event);
      await deps.configuration.note(`key:${key.id}`, {
        action: "message",
        kind: "extension",
        target: id,
        before: null,
        after: { eventId: event.id },
      });
      return c.json({ id: event.id }, 202);
    });
  };
}

function registerAgents(app: App, deps: AppDeps, { supervision, dispatch }: SupervisionRoutesDeps): void {
  app.openapi(agentsRoute, async (c) => {
    const { limit, cursor, queueId, presence, since } = c.req.valid("query");
    const directory = deps.directory.current();
    const now = deps.now();
    const members = queueId === undefined
      ? null
      : directory.queues.get(queueId)?.members ?? new Set<string>();
    const some = [...directory.extensions.values()].filter(({ id }) =>
      (cursor === undefined || id > cursor) && (members === null || members.has(id))
    ).sort((a, b) => a.id < b.id ? -1 : 1);
    // With a presence all have to be looked at before they are counted off into pages.
    const looked = presence === undefined ? some.slice(0, limit + 1) : some;
    const atWork = await dispatch.agents(looked.map(({ id }) => id));
    const page = looked.filter(({ id }) =>
      presence === undefined || presenceView(id, atWork.get(id)).presence === presence
    ).slice(0, limit + 1);
    const ids = page.map(({ id }) => id);
    const [held, completed] = await Promise.all([
      supervision.held(ids),
      supervision.completed(ids, since ?? Math.floor(now / DAY_MS) * DAY_MS),
    ]);
    const heldBy = Map.groupBy(held, ({ extensionId }) => extensionId);
    const rows = page.map((extension) => ({
      ...presenceView(extension.id, atWork.get(extension.id)),
      ...countsOf(heldBy.get(extension.id) ?? []),
      completed: completed.get(extension.id) ?? 0,
      ...settingsOf(extension, directory),
    })).map((row) => ({ ...row, secondsInState: secondsSince(row.since, now) }));
    const { items, next } = pageFrom(rows.map((row) => ({ ...row, id: row.extensionId })), limit);
    return c.json({ items: items.map(({ id: _, ...row }) => row), next }, 200);
  });
}

function countsOf(held: readonly HeldSessions[]) {
  const of = (state: HeldSessions["state"]) => held.filter((some) => some.state === state);
  const sum = (some: readonly HeldSessions[]) => some.reduce((total, { sessions }) => total + sessions, 0);
  const active = of("active");
  return {
    offered: sum(of("offered")),
    active: sum(active),
    wrapUp: sum(of("wrap-up")),
    channels: active.map(({ channelId, sessions }) => ({ channelId, active: sessions })),
  };
}

function settingsOf({ id, extension, name, capacity }: Extension, { queues, distribution }: Directory) {
  return {
    extension,
    name,
    capacity: capacity ?? distribution.agentCapacity,
    queueIds: [...queues.values()].filter(({ members }) => members.has(id)).map((queue) => queue.id),
  };
}

function secondsSince(time: string | null, nowMs: number): number | null {
  return time === null ? null : Math.max(0, Math.round((nowMs - Date.parse(time)) / 1_000));
}

function registerWaiting(app: App, deps: AppDeps, { supervision }: SupervisionRoutesDeps): void {
  app.openapi(waitingRoute, async (c) => {
    const { limit, cursor, queueId } = c.req.valid("query");
    const rows = await supervision.waiting({
      ...(queueId === undefined ? {} : { queueId }),
      ...(cursor === undefined ? {} : { after: placeOf(cursor) }),
      limit: limit + 1,
    });
    const items = rows.slice(0, limit);
    return c.json({
      items: items.map((row) => waitingView(row, deps.now())),
      next: rows.length > limit ? `${items.at(-1)!.since_ms}-${items.at(-1)!.id}` : null,
    }, 200);
  });
}

function placeOf(cursor: string) {
  const match = /^(\d{1,15})-(ses_[0-9a-v]{26})$/.exec(cursor);
  if (match === null) throw invalidFields([{ field: "cursor", message: "not a cursor that a list gave" }]);
  return { sinceMs: Number(match[1]), id: match[2]! };
}

function waitingView(row: WaitingSession, nowMs: number) {
  return {
    sessionId: row.id,
    queueId: row.queue_id,
    channelId: row.channel_id,
    number: row.number,
    contact: row.contact,
    state: row.state === "offered" ? "offered" as const : "waiting" as const,
    offeredTo: row.offered_to,
    priority: row.priority,
    language: row.language,
    waitingSince: new Date(row.since_ms).toISOString(),
    waitSeconds: Math.max(0, Math.round((nowMs - row.since_ms) / 1_000)),
  };
}
