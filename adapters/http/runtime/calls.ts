/**
 * `/v1/calls`: texting during phone calls. A call is its session; the phone system names it.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { OwnNumber } from "../../../core/channel.ts";
import type { ApiKey, Directory, Role } from "../../../core/directory.ts";
import type { Command, CommandReply } from "../../../core/entry.ts";
import { presetText, termsOf, tooLong } from "../../../core/in_call/terms.ts";
import { TEXT_UNITS_MAX } from "../../../core/automated_text.ts";
import { PresetLabelSchema } from "../../../core/in_call/settings.ts";
import { LanguageSchema } from "../../../core/language.ts";
import { checkOutgoing } from "../../../core/outgoing.ts";
import type { Ingress } from "../../../core/ports/ingress.ts";
import type { SessionQueries } from "../../../core/ports/runtime_queries.ts";
import type { SessionRow } from "../../../core/session.ts";
import { ANYONE } from "../auth.ts";
import type { ApiEnv, App } from "../context.ts";
import type { AppDeps, RouteModule } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { invalidFields, Problem } from "../problem.ts";
import { allow, IdempotencyHeader, json, jsonBody, problems } from "../route.ts";
import { mayAddress, viewerOf } from "./caller.ts";
import { refuseFreeText } from "./canned_text.ts";
import { actingExtension, carryOut, fitting, ownNumber } from "./commands.ts";
import { AddressQuery, ContactField, idField, OwnNumberField, PartsField, spanQuery } from "./fields.ts";
import { SessionDetail, sessionDetail, SessionView, sessionView } from "./views.ts";

export interface CallRoutesDeps {
  readonly ingress: Ingress;
  readonly sessions: SessionQueries;
}

/** The phone system, and those who speak. */
const CALLERS: readonly Role[] = ["administrator", "supervisor", "agent"];
const tags = ["Calls"];

/** As phone systems name calls, SIP's Call-ID among them. */
const CallIdField = z.string().regex(
  /^[\x21-\x7e]{1,128}$/,
  "must be 1 to 128 printable characters without blanks",
);
const CallIdParam = z.object({ callId: CallIdField.openapi({ param: { name: "callId", in: "path" } }) });

const openRoute = createRoute({
  method: "post",
  path: "/v1/calls",
  tags,
  summary: "Opens the session of a call between an agent and a caller",
  description: "The call's id is the idempotency key: the same call again is answered with its session, " +
    "whatever has become of it. A call of this caller that nobody ended is over.",
  ...allow(...CALLERS),
  request: jsonBody(
    z.object({
      callId: CallIdField.openapi({ description: "The phone system's", example: "c0ffee@pbx.example" }),
      contact: ContactField.openapi({ description: "Who the agent speaks with" }),
      number: OwnNumberField.optional().openapi({
        description: "One of our numbers for calls; left out: the queue's, or else the one set for all calls",
      }),
      extensionId: idField("extension").optional().openapi({
        description: "Who has the call; agents leave it out",
      }),
      queueId: idField("queue").optional().openapi({ description: "The queue that the call came through" }),
      language: LanguageSchema.optional().openapi({ description: "Of presets and automated texts" }),
    }).strict(),
  ),
  responses: {
    200: json(SessionDetail, "The session that the call has already"),
    201: json(SessionDetail, "The open session"),
    ...problems(404, 409, 422),
  },
});

const endRoute = createRoute({
  method: "post",
  path: "/v1/calls/{callId}/end",
  tags,
  summary: "Closes the session of a call, whatever ended the call",
  description: "One that is over already stays as it is.",
  ...allow(...CALLERS),
  request: {
    params: CallIdParam,
    body: {
      required: false,
      content: {
        "application/json": {
          schema: z.object({
            reason: z.string().min(1).max(200)
              .optional()
              .openapi({ description: "What ended it; kept with the session", example: "caller hung up" }),
          }).strict(),
        },
      },
    },
  },
  responses: { 200: json(SessionDetail, "The closed session"), ...problems(404, 409, 422) },
});

const sendRoute = createRoute({
  method: "post",
  path: "/v1/calls/{callId}/messages",
  tags,
  summary: "Sends the caller a preset, or a text of one's own where that is allowed",
  ...allow(...CALLERS),
  request: {
    params: CallIdParam,
    headers: IdempotencyHeader,
    ...jsonBody(
      z.object({
        preset: PresetLabelSchema.optional().openapi({ description: "Its label" }),
        language: LanguageSchema.optional().openapi({ description: "Of the preset; left out: the call's" }),
        text: z.string().min(1)
          .refine((text) => text.length <= TEXT_UNITS_MAX, { error: ({ input }) => tooLong(String(input)) })
          .optional().openapi({ maxLength: TEXT_UNITS_MAX }),
      }).strict().refine(
        ({ preset, text }) => (preset === undefined) !== (text === undefined),
        { path: ["preset"], message: "give either a preset or a text" },
      ),
    ),
  },
  responses: {
    201: json(
      z.object({
        messageId: z.string(),
        sessionId: z.string(),
        status: z.literal("queued"),
        text: z.string(),
        encoding: z.enum(["gsm7", "ucs2"]),
        segments: z.number().int(),
        parts: PartsField,
      }),
      "The message waits to be sent",
    ),
    ...problems(404, 409, 422),
  },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/calls",
  tags,
  summary: "Sessions of calls, newest first; agents get their own",
  ...allow(...ANYONE),
  request: {
    query: z.object({
      ...pageQuery,
      ...spanQuery,
      state: z.enum(["active", "closed"]).optional(),
      extensionId: idField("extension").optional(),
      queueId: idField("queue").optional(),
      number: AddressQuery.optional(),
      contact: AddressQuery.optional(),
    }),
  },
  responses: { 200: json(pageOf(SessionView), "One page"), ...problems() },
});

const getRoute = createRoute({
  method: "get",
  path: "/v1/calls/{callId}",
  tags,
  summary: "The session of a call, with its history",
  ...allow(...ANYONE),
  request: { params: CallIdParam },
  responses: { 200: json(SessionDetail, "The session"), ...problems(404) },
});

/** `/v1/calls` and everything below it. */
export function callRoutes(own: CallRoutesDeps): RouteModule {
  return (app, deps) => {
    registerReading(app, deps, own);
    registerOpening(app, deps, own);
    registerCommands(app, deps, own);
  };
}

function registerReading(app: App, deps: AppDeps, { sessions }: CallRoutesDeps): void {
  app.openapi(listRoute, async (c) => {
    const { limit, cursor, from, to, ...filter } = c.req.valid("query");
    const rows = await sessions.list(
      {
        ...filter,
        kind: "call",
        ...(from === undefined ? {} : { fromMs: from }),
        ...(to === undefined ? {} : { toMs: to }),
      },
      viewerOf(c.get("key"), deps.directory.current()),
      { limit: limit + 1, ...(cursor === undefined ? {} : { before: cursor }) },
    );
    return c.json(pageFrom(rows.map(sessionView), limit), 200);
  });

  app.openapi(getRoute, async (c) => {
    const session = await callOf(c.req.valid("param").callId, c.get("key"), sessions, deps);
    return c.json(sessionDetail(session), 200);
  });
}

function registerOpening(app: App, deps: AppDeps, { ingress, sessions }: CallRoutesDeps): void {
  app.openapi(openRoute, async (c) => {
    const body = c.req.valid("json");
    const { callId, contact, queueId, language } = body;
    const key = c.get("key");
    const directory = deps.directory.current();
    const extensionId = actingExtension(key, body.extensionId);
    const number = body.number === undefined ? undefined : ownNumber(directory, body.number, "number");
    const known = await sessions.ofCall(callId);
    if (known !== undefined) {
      checkSame(known, { contact, extensionId, ...(number === undefined ? {} : { number: number.number }) });
      return c.json(sessionDetail(known), 200);
    }
    const from = number ?? numberFor(directory, queueId);
    if (from.purpose !== "in-call") {
      throw invalidFields([{ field: "number", message: `${from.number} is not for calls` }]);
    }
    const { sessionId } = await carryOut(
      // The call's id is the key: the same call comes again wherever its first command got to.
      { ingress, directory, now: deps.now, key, idempotencyKey: callId, path: c.req.path },
      { number: from.number, contact },
      {
        kind: "open-call",
        callId,
        extensionId,
        ...(queueId === undefined ? {} : { queueId }),
        ...(language === undefined ? {} : { language }),
      },
    );
    const session = sessionId === undefined ? undefined : await sessions.get(sessionId);
    if (session === undefined) throw new Error(`the session ${sessionId} was opened but is not there`);
    c.header("location", `/v1/calls/${encodeURIComponent(callId)}`);
    return c.json(sessionDetail(session), 201);
  });
}

function registerCommands(app: App, deps: AppDeps, { ingress, sessions }: CallRoutesDeps): void {
  app.openapi(endRoute, async (c) => {
    const { callId } = c.req.valid("param");
    const reason = c.req.valid("json")?.reason;
    const session = await callOf(callId, c.get("key"), sessions, deps);
    if (session.state === "closed") return c.json(sessionDetail(session), 200);
    await command(c, session, { kind: "end-call", callId, ...(reason === undefined ? {} : { reason }) });
    return c.json(sessionDetail(await sessions.get(session.id) ?? session), 200);
  });

  app.openapi(sendRoute, async (c) => {
    const { callId } = c.req.valid("param");
    const { preset, language, text } = c.req.valid("json");
    const session = await callOf(callId, c.get("key"), sessions, deps);
    const directory = deps.directory.current();
    const channel = directory.channels.get(
      directory.numbersByAddress.get(session.number)?.channelId ?? "",
    );
    if (channel === undefined) {
      throw new Problem(409, `${session.number} is no longer one of the configured numbers.`);
    }
    if (text !== undefined) refuseFreeText(c.get("key"), directory, session.queue_id);
    const said = text ?? presetOf(directory, session, preset ?? "", language);
    const { analysis } = fitting(
      checkOutgoing(channel, false, { to: session.contact, text: said, media: [] }),
    );
    const { messageId, messageIds } = await command(c, session, {
      kind: "send-in-call",
      callId,
      ...(preset === undefined ? {} : { preset }),
      ...(language === undefined ? {} : { language }),
      ...(text === undefined ? {} : { text }),
    });
    if (messageId === undefined) throw new Error("a text was taken without an id");
    c.header("location", `/v1/messages/${messageId}`);
    const { encoding, segments } = analysis;
    const parts = messageIds === undefined ? {} : { parts: [...messageIds] };
    const message = { messageId, sessionId: session.id, status: "queued", text: said } as const;
    return c.json({ ...message, encoding, segments, ...parts }, 201);
  });

  function command(
    c: Context<ApiEnv>,
    session: SessionRow,
    what: Command,
  ): Promise<CommandReply & { ok: true }> {
    const context = {
      ingress,
      directory: deps.directory.current(),
      now: deps.now,
      key: c.get("key"),
      idempotencyKey: c.req.header("idempotency-key"),
      path: c.req.path,
    };
    return carryOut(context, session, what);
  }
}

/** The call's session, if the key's bearer may know of it. */
async function callOf(
  callId: string,
  key: ApiKey,
  sessions: SessionQueries,
  deps: AppDeps,
): Promise<SessionRow> {
  const session = await sessions.ofCall(callId);
  if (session === undefined || !mayAddress(viewerOf(key, deps.directory.current()), session)) {
    throw new Problem(404, `There is no call ${callId}.`);
  }
  return session;
}

/** A call's id stands for one call: what else is said of it must be what was said at first. */
function checkSame(
  session: SessionRow,
  asked: { readonly contact: string; readonly number?: string; readonly extensionId: string },
): void {
  const errors = [
    ...(asked.contact === session.contact
      ? []
      : [{ field: "contact", message: "is another one in that call" }]),
    ...(asked.number === undefined || asked.number === session.number
      ? []
      : [{ field: "number", message: "is another one in that call" }]),
    ...(session.state === "closed" || asked.extensionId === session.extension_id
      ? []
      : [{ field: "extensionId", message: "is another one by now; hand the session over to change it" }]),
  ];
  if (errors.length === 0) return;
  throw new Problem(409, `The call ${session.call_id} is known with something else.`, {
    code: "call-exists",
    errors,
  });
}

/** The number of calls that name none. */
function numberFor(directory: Directory, queueId: string | undefined): OwnNumber {
  const { numberId } = termsOf(directory, queueId ?? null);
  const number = numberId === null ? undefined : directory.numbers.get(numberId);
  if (number !== undefined) return number;
  throw invalidFields([{
    field: "number",
    message: "is needed: neither the queue nor the settings name a number for calls",
  }]);
}

/** What the preset says; its conversation's owner has the last word. */
function presetOf(
  directory: Directory,
  session: SessionRow,
  label: string,
  language: string | undefined,
): string {
  const wanted = language ?? session.language ?? termsOf(directory, session.queue_id).language;
  const text = presetText(directory, session.queue_id, label, wanted);
  if (text !== null) return text;
  throw new Problem(422, `Calls of this queue have no preset ${label}.`, { code: "unknown-preset" });
}
