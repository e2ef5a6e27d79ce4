/**
 * `/v1/messages`: sending, listing, reading, cancelling.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { OwnNumber } from "../../../core/channel.ts";
import type { ApiKey, Directory, Role } from "../../../core/directory.ts";
import { mayWriteFrom } from "../../../core/number_use.ts";
import { PRIORITY } from "../../../core/message.ts";
import { checkOutgoing } from "../../../core/outgoing.ts";
import type { Ingress } from "../../../core/ports/ingress.ts";
import type { MessageQueries, SessionQueries } from "../../../core/ports/runtime_queries.ts";
import { ANYONE } from "../auth.ts";
import type { App } from "../context.ts";
import type { AppDeps, RouteModule } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { invalidFields, Problem } from "../problem.ts";
import { allow, IdempotencyHeader, json, jsonBody, problems } from "../route.ts";
import { authorOf, mayRead, maySee, viewerOf } from "./caller.ts";
import { CannedField, textToSend } from "./canned_text.ts";
import { carryOut, fitting, ownNumber } from "./commands.ts";
import {
  AddressQuery,
  ContactField,
  idField,
  idParam,
  OwnNumberField,
  PartsField,
  spanQuery,
  TextField,
  TimeField,
} from "./fields.ts";
import { outgoingMedia, type OutgoingMediaDeps, OutgoingMediaField } from "./outgoing_media.ts";
import {
  MESSAGE_STATUSES,
  MessageDetail,
  messageDetail,
  MessageView,
  messageView,
  PRIORITIES,
} from "./views.ts";

export interface MessageRoutesDeps {
  readonly ingress: Ingress;
  readonly messages: MessageQueries;
  readonly sessions: SessionQueries;
  readonly media: OutgoingMediaDeps;
}

const SENDERS: readonly Role[] = ["administrator", "supervisor", "agent", "platform"];
const DAY_SECONDS = 86_400;
const VALIDITY_SECONDS_MAX = 14 * DAY_SECONDS;
const AHEAD_MS_MAX = 366 * DAY_SECONDS * 1_000;

const sendRoute = createRoute({
  method: "post",
  path: "/v1/messages",
  tags: ["Messages"],
  summary: "Sends a text; the answer comes when it is stored, before it leaves",
  ...allow(...SENDERS),
  request: {
    headers: IdempotencyHeader,
    ...jsonBody(
      z.object({
        from: OwnNumberField,
        to: ContactField,
        text: TextField.default(""),
        canned: CannedField.optional(),
        media: OutgoingMediaField.optional(),
        priority: z.enum(PRIORITIES).optional().openapi({
          description:
            "An answer goes before bulk. Agents' messages are answers unless they say otherwise, others bulk",
        }),
        sendAt: TimeField.optional().openapi({ description: "Not to leave before; at most 366 days ahead" }),
        validitySeconds: z.number().int().min(1).max(VALIDITY_SECONDS_MAX).optional()
          .openapi({ description: "For how long it is worth sending, from `sendAt` on" }),
      }).strict(),
    ),
  },
  responses: {
    201: json(
      z.object({
        id: z.string(),
        status: z.literal("queued"),
        from: z.string(),
        to: z.string(),
        encoding: z.enum(["gsm7", "ucs2"]),
        segments: z.number().int(),
        sessionId: z.string().nullable(),
        parts: PartsField,
      }),
      "The message is stored and waits to be sent",
    ),
    ...problems(404, 409, 422),
  },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/messages",
  tags: ["Messages"],
  summary: "Messages, newest first; agents and platforms get their own",
  ...allow(...ANYONE),
  request: {
    query: z.object({
      ...pageQuery,
      ...spanQuery,
      channelId: idField("channel").optional(),
      number: AddressQuery.optional(),
      contact: AddressQuery.optional(),
      status: z.enum(MESSAGE_STATUSES).optional(),
      direction: z.enum(["inbound", "outbound"]).optional(),
      uncertain: z.enum(["true", "false"]).transform((word) => word === "true").optional()
        .openapi({ description: "Whether nobody can tell if the provider took it" }),
    }),
  },
  responses: { 200: json(pageOf(MessageView), "One page"), ...problems() },
});

const getRoute = createRoute({
  method: "get",
  path: "/v1/messages/{id}",
  tags: ["Messages"],
  summary: "A message with the history of its status",
  ...allow(...ANYONE),
  request: { params: idParam("message") },
  responses: { 200: json(MessageDetail, "The message"), ...problems(404) },
});

const cancelRoute = createRoute({
  method: "post",
  path: "/v1/messages/{id}/cancel",
  tags: ["Messages"],
  summary: "Takes a message back that nobody has begun to send",
  ...allow(...SENDERS),
  request: { params: idParam("message") },
  responses: { 200: json(MessageDetail, "The cancelled message"), ...problems(404, 409) },
});

/** `/v1/messages` and everything below it. */
export function messageRoutes(own: MessageRoutesDeps): RouteModule {
  return (app, deps) => {
    registerSending(app, deps, own);
    registerReading(app, deps, own);
  };
}

function registerSending(app: App, deps: AppDeps, own: MessageRoutesDeps): void {
  app.openapi(sendRoute, async (c) => {
    const body = c.req.valid("json");
    const key = c.get("key");
    const directory = deps.directory.current();
    const number = ownNumber(directory, body.from);
    if (!maySendFrom(key, number, directory)) {
      throw new Problem(403, `This key may not send from ${number.number}.`, { code: "number-not-allowed" });
    }
    const channel = directory.channels.get(number.channelId);
    if (channel === undefined) throw new Problem(409, `${number.number} has no channel any more.`);
    // Only these have to know; programs that send by the thousand pay for no query.
    const held = key.role === "agent" || body.canned !== undefined
      ? await openSession(own.sessions, number.number, body.to)
      : undefined;
    const text = await textToSend(
      { configuration: deps.configuration, directory, key },
      { text: body.text, canned: body.canned, hasMedia: (body.media ?? []).length > 0 },
      {
        contact: body.to,
        queueId: held?.queue_id ?? (number.destination?.kind === "queue" ? number.destination.id : null),
        language: held?.language ?? null,
      },
    );
    const now = deps.now();
    if (body.sendAt !== undefined && body.sendAt > now + AHEAD_MS_MAX) {
      throw invalidFields([{ field: "sendAt", message: "lies more than 366 days ahead" }]);
    }
    const media = await outgoingMedia(own.media, body.media ?? [], key, channel, {
      nowMs: now,
      ...(body.sendAt === undefined ? {} : { sendAtMs: body.sendAt }),
    });
    const mms = deps.providers.get(channel.provider)?.supports.mms === true;
    const { analysis } = fitting(checkOutgoing(channel, mms, { to: body.to, text, media }));
    const { messageId, messageIds, sessionId } = await carryOut(
      {
        ingress: own.ingress,
        directory,
        now: () => now,
        key,
        idempotencyKey: c.req.valid("header")["idempotency-key"],
        path: c.req.path,
      },
      { number: number.number, contact: body.to },
      {
        kind: "send",
        text,
        priority: PRIORITY[body.priority ?? (key.role === "agent" ? "reply" : "bulk")],
        ...(media.length === 0 ? {} : { media }),
        ...(body.sendAt === undefined || body.sendAt <= now ? {} : { notBeforeMs: body.sendAt }),
        ...(body.validitySeconds === undefined ? {} : { validityMs: body.validitySeconds * 1_000 }),
      },
    );
    if (messageId === undefined) throw new Error("a message was taken without an id");
    c.header("location", `/v1/messages/${messageId}`);
    const { encoding, segments } = analysis;
    return c.json(
      {
        id: messageId,
        status: "queued",
        from: number.number,
        to: body.to,
        encoding,
        segments,
        sessionId: sessionId ?? null,
        ...(messageIds === undefined ? {} : { parts: [...messageIds] }),
      } as const,
      201,
    );
  });
}

async function openSession(sessions: SessionQueries, number: string, contact: string) {
  const [newest] = await sessions.list({ number, contact }, { kind: "all" }, { limit: 1 });
  return newest?.state === "closed" ? undefined : newest;
}

/** A platform sends from the numbers that lead to it, an agent from those that are open to its extension. */
function maySendFrom(key: ApiKey, number: OwnNumber, directory: Directory): boolean {
  switch (key.role) {
    case "agent":
      return mayWriteFrom(number, key.extensionId ?? "", directory);
    case "platform":
      return number.destination?.kind === "platform" && number.destination.id === key.platformId;
    default:
      return true;
  }
}

function registerReading(app: App, deps: AppDeps, { messages, sessions, media }: MessageRoutesDeps): void {
  const context = () => ({ links: media.links, nowMs: deps.now() });
  app.openapi(listRoute, async (c) => {
    const { limit, cursor, from, to, ...filter } = c.req.valid("query");
    const rows = await messages.list(
      {
        ...filter,
        ...(from === undefined ? {} : { fromMs: from }),
        ...(to === undefined ? {} : { toMs: to }),
      },
      viewerOf(c.get("key"), deps.directory.current()),
      { limit: limit + 1, ...(cursor === undefined ? {} : { before: cursor }) },
    );
    return c.json(pageFrom(rows.map((row) => messageView(row, context())), limit), 200);
  });

  app.openapi(getRoute, async (c) => {
    return c.json(messageDetail(await readable(c.req.valid("param").id, c.get("key")), context()), 200);
  });

  app.openapi(cancelRoute, async (c) => {
    const { id } = c.req.valid("param");
    const key = c.get("key");
    const message = await readable(id, key);
    const author = authorOf(key);
    if (author.kind !== "key" && (message.author?.kind !== author.kind || message.author.id !== author.id)) {
      throw new Problem(403, "Only its author, a supervisor or an administrator may cancel a message.");
    }
    const cancelled = await messages.cancel(id, deps.now(), `${author.kind}:${author.id}`);
    if (cancelled !== undefined) return c.json(messageDetail(cancelled, context()), 200);
    const status = (await messages.get(id))?.status ?? message.status;
    throw new Problem(409, `The message is ${status}; only one that is queued can be cancelled.`, {
      code: "not-queued",
      members: { messageStatus: status },
    });
  });

  /** The message, if the caller may read it by itself or with its session. */
  async function readable(id: string, key: ApiKey) {
    const message = await messages.get(id);
    const viewer = viewerOf(key, deps.directory.current());
    if (message !== undefined) {
      if (mayRead(viewer, message)) return message;
      const session = message.session_id === null ? undefined : await sessions.get(message.session_id);
      if (session !== undefined && maySee(viewer, session)) return message;
    }
    throw new Problem(404, `There is no message ${id}.`);
  }
}
