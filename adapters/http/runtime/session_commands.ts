/**
 * What is done to a session: answering, accepting, handing over, closing.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { Directory, Role } from "../../../core/directory.ts";
import { checkOutgoing } from "../../../core/outgoing.ts";
import type { DispatchLog } from "../../../core/ports/dispatch_log.ts";
import type { Ingress } from "../../../core/ports/ingress.ts";
import type { SessionQueries } from "../../../core/ports/runtime_queries.ts";
import type { SessionRow } from "../../../core/session.ts";
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import { allow, IdempotencyHeader, json, jsonBody, problems } from "../route.ts";
import { CannedField, textToSend } from "./canned_text.ts";
import { actingExtension, claim, fitting } from "./commands.ts";
import { idField, idParam, NoteField, PartsField, TextField } from "./fields.ts";
import { outgoingMedia, type OutgoingMediaDeps, OutgoingMediaField } from "./outgoing_media.ts";
import { sessionAccess } from "./session_access.ts";
import { SessionDetail } from "./views.ts";

export interface SessionRoutesDeps {
  readonly ingress: Ingress;
  readonly dispatch: DispatchLog;
  readonly sessions: SessionQueries;
  readonly media: OutgoingMediaDeps;
}

const HOLDERS: readonly Role[] = ["administrator", "supervisor", "agent", "platform"];
const ACCEPTERS: readonly Role[] = ["administrator", "supervisor", "agent"];

const common = { params: idParam("session"), headers: IdempotencyHeader };
const after = { 200: json(SessionDetail, "The session as it is now"), ...problems(404, 409, 422) };

const ExtensionBody = {
  required: false,
  content: {
    "application/json": {
      schema: z.object({
        extensionId: idField("extension").optional().openapi({ description: "Agents leave it out" }),
      }).strict(),
    },
  },
};

const replyRoute = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/messages",
  tags: ["Sessions"],
  summary: "Answers the contact; goes before everything that is not an answer",
  ...allow(...HOLDERS),
  request: {
    ...common,
    ...jsonBody(
      z.object({
        text: TextField.default(""),
        canned: CannedField.optional(),
        media: OutgoingMediaField.default([]),
      }).strict(),
    ),
  },
  responses: {
    201: json(
      z.object({
        messageId: z.string(),
        sessionId: z.string(),
        status: z.literal("queued"),
        encoding: z.enum(["gsm7", "ucs2"]),
        segments: z.number().int(),
        parts: PartsField,
      }),
      "The message waits to be sent",
    ),
    ...problems(404, 409, 422),
  },
});

const acceptRoute = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/accept",
  tags: ["Sessions"],
  summary: "Takes a waiting session; of two at once one wins, and the other is told who",
  ...allow(...ACCEPTERS),
  request: {
    ...common,
    body: ExtensionBody,
  },
  responses: after,
});

const declineRoute = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/decline",
  tags: ["Sessions"],
  summary: "Turns an offer down: it passes on to somebody else",
  ...allow(...ACCEPTERS),
  request: { ...common, body: ExtensionBody },
  responses: after,
});

const transferRoute = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/transfer",
  tags: ["Sessions"],
  summary: "Hands the session over to an extension, a queue or a platform",
  ...allow(...HOLDERS),
  request: {
    ...common,
    ...jsonBody(
      z.object({
        to: z.discriminatedUnion("kind", [
          z.object({ kind: z.literal("extension"), id: idField("extension") }).strict(),
          z.object({ kind: z.literal("queue"), id: idField("queue") }).strict(),
          z.object({ kind: z.literal("platform"), id: idField("platform") }).strict(),
        ]),
        note: NoteField.optional().openapi({ description: "For whoever takes it over" }),
        anyway: z.boolean().default(false).openapi({
          description: "Also to a queue that is full, closed or served by nobody",
        }),
      }).strict(),
    ),
  },
  responses: after,
});

const closeRoute = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/close",
  tags: ["Sessions"],
  summary: "Closes the session, or begins its wrap-up where an agent closes it and its queue has one",
  ...allow(...HOLDERS),
  request: common,
  responses: after,
});

/** The commands below `/v1/sessions/{id}`. */
export function registerSessionCommands(app: App, deps: AppDeps, own: SessionRoutesDeps): void {
  const { addressed, command, context, asNow } = sessionAccess(deps, own);
  app.openapi(replyRoute, async (c) => {
    const session = await addressed(c);
    const { text: written, canned, media: asked } = c.req.valid("json");
    const directory = deps.directory.current();
    const text = await textToSend(
      { configuration: deps.configuration, directory, key: c.get("key") },
      { text: written, canned, hasMedia: asked.length > 0 },
      { contact: session.contact, queueId: session.queue_id, language: session.language },
    );
    const channelId = directory.numbersByAddress.get(session.number)?.channelId ?? "";
    const channel = directory.channels.get(channelId);
    if (channel === undefined) {
      throw new Problem(409, `${session.number} is no longer one of the configured numbers.`);
    }
    const media = await outgoingMedia(own.media, asked, c.get("key"), channel, { nowMs: deps.now() });
    const mms = deps.providers.get(channel.provider)?.supports.mms === true;
    const { analysis } = fitting(checkOutgoing(channel, mms, { to: session.contact, text, media }));
    const { messageId, messageIds } = await command(c, session, {
      kind: "send",
      sessionId: session.id,
      text,
      priority: 0,
      ...(media.length === 0 ? {} : { media }),
    });
    if (messageId === undefined) throw new Error("an answer was taken without an id");
    c.header("location", `/v1/messages/${messageId}`);
    const { encoding, segments } = analysis;
    const parts = messageIds === undefined ? {} : { parts: [...messageIds] };
    return c.json(
      { messageId, sessionId: session.id, status: "queued", encoding, segments, ...parts } as const,
      201,
    );
  });

  app.openapi(acceptRoute, async (c) => {
    const asked = c.req.valid("json")?.extensionId;
    const session = await addressed(c);
    const what = { sessionId: session.id, extensionId: actingExtension(c.get("key"), asked) };
    // Where there is a limit, the dispatcher keeps the room and hands it on.
    if (session.state === "waiting" && hasLimit(deps.directory.current(), session, what.extensionId)) {
      await claim(context(c), own.dispatch, what);
    } else await command(c, session, { kind: "accept", ...what });
    return c.json(await asNow(session), 200);
  });

  app.openapi(declineRoute, async (c) => {
    const extensionId = actingExtension(c.get("key"), c.req.valid("json")?.extensionId);
    const session = await addressed(c);
    await command(c, session, { kind: "decline", sessionId: session.id, extensionId });
    return c.json(await asNow(session), 200);
  });

  app.openapi(transferRoute, async (c) => {
    const session = await addressed(c);
    const { to, note, anyway } = c.req.valid("json");
    if (to.kind === "queue" && !anyway) await refuseFull(to.id);
    await command(c, session, {
      kind: "transfer",
      sessionId: session.id,
      to,
      ...(anyway ? { anyway } : {}),
      ...(note === undefined ? {} : { note }),
    });
    return c.json(await asNow(session), 200);
  });

  app.openapi(closeRoute, async (c) => {
    const session = await addressed(c);
    await command(c, session, { kind: "close", sessionId: session.id });
    return c.json(await asNow(session), 200);
  });

  /** The line is the dispatcher's; its length as it was stored last is near enough for a person's choice. */
  async function refuseFull(queueId: string): Promise<void> {
    const queue = deps.directory.current().queues.get(queueId);
    const most = queue?.maxWaiting ?? null;
    if (queue === undefined || most === null || await own.sessions.inLine(queueId, most) < most) return;
    throw new Problem(409, `The queue ${queue.name} is full: ${most} wait already.`, {
      code: "queue-full",
      members: { code: "queue-full" },
    });
  }
}

/** Whether the sessions that this extension, this queue or all of them may have at once are limited. */
function hasLimit(directory: Directory, { queue_id }: SessionRow, extensionId: string): boolean {
  const { capacity, agentCapacity } = directory.distribution;
  const own = directory.extensions.get(extensionId)?.capacity ?? agentCapacity;
  return own !== null || capacity !== null ||
    (directory.queues.get(queue_id ?? "")?.capacity ?? null) !== null;
}
