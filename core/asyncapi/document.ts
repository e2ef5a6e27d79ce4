/**
 * The AsyncAPI document: what is told over NATS, and what platforms may ask there. Made from the schemas that requests
 * are parsed with and that tests hold events against.
 * https://www.asyncapi.com/docs/reference/specification/v3.0.0
 *
 * @module
 */
import { z } from "zod";
import { EVENT_TYPES, type EventType } from "../events.ts";
import { PlatformRequestSchema } from "../platforms/requests.ts";
import { eventSchema } from "./event_schemas.ts";

export interface AsyncApiOptions {
  readonly version: string;
  /** `PATCHBAY_NAMESPACE`: what all subjects begin with. */
  readonly namespace: string;
}

type Json = Readonly<Record<string, unknown>>;

const ref = (path: string) => ({ $ref: `#/${path}` });

/** The document as JSON. */
export function asyncApiDocument({ version, namespace }: AsyncApiOptions): Json {
  const requests = PlatformRequestSchema.options.map((schema) => ({
    type: schema.shape.type.value,
    schema: jsonSchema(schema),
  }));
  const eventMessages = refs(EVENT_TYPES.map((type) => type));
  const requestMessages = refs(requests.map(({ type }) => requestName(type)));
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Patchbay",
      version,
      description:
        "Events are CloudEvents 1.0 in JSON, one a message, at least once; an event's id never changes. " +
        "An analysis platform has credentials for its own subjects only.",
    },
    defaultContentType: "application/json",
    channels: {
      events: {
        address: `${namespace}.events.{channelId}.{number}.{type}`,
        description: "Everything that happens, for subscribers in the account of the installation",
        parameters: {
          channelId: { description: "Id of the channel; - where none is concerned" },
          number: { description: "Ours, without +; - where none is concerned" },
          type: { description: "The event's type, of two tokens" },
        },
        messages: eventMessages,
      },
      platformEvents: {
        address: `${namespace}.platform.{platformId}.{type}`,
        description: "What concerns sessions that the platform has, and that it loses one",
        parameters: {
          platformId: { description: "Id of the platform" },
          type: { description: "The event's type, of two tokens" },
        },
        messages: eventMessages,
      },
      platformRequests: {
        address: `${namespace}.platform.{platformId}.command`,
        parameters: { platformId: { description: "Id of the platform" } },
        messages: requestMessages,
      },
      platformAnswers: {
        address: null,
        description: "The subject that the request asks to be answered on",
        messages: refs(["answer", "problem"]),
      },
    },
    operations: {
      tellEvents: { action: "send", channel: ref("channels/events") },
      tellPlatform: { action: "send", channel: ref("channels/platformEvents") },
      takeRequests: {
        action: "receive",
        channel: ref("channels/platformRequests"),
        reply: { channel: ref("channels/platformAnswers") },
      },
    },
    components: {
      messages: {
        ...Object.fromEntries(EVENT_TYPES.map((type) => [type, eventMessage(type)])),
        ...Object.fromEntries(
          requests.map(({ type, schema }) => [requestName(type), { name: type, payload: schema }]),
        ),
        answer: { name: "answer", payload: jsonSchema(AnswerSchema) },
        problem: {
          name: "problem",
          contentType: "application/problem+json",
          payload: jsonSchema(ProblemSchema),
        },
      },
    },
  };
}

const AnswerSchema = z.looseObject({
  ok: z.literal(true),
  sessionId: z.string().optional(),
  messageId: z.string().optional(),
  stream: z.string().optional().describe("Of follow: the stream to read"),
  consumer: z.string().optional().describe("Of follow: the consumer to read"),
});

/** RFC 9457. */
const ProblemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  retryAfter: z.number().optional().describe("When to come again, seconds"),
});

function eventMessage(type: EventType): Json {
  return { name: type, contentType: "application/cloudevents+json", payload: jsonSchema(eventSchema(type)) };
}

const requestName = (type: string) => `request.${type}`;

/** A channel's messages, by references. */
function refs(names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, ref(`components/messages/${name}`)]));
}

/** As it comes in; AsyncAPI's own schemas are a superset of draft 7. */
function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
  return rest;
}
