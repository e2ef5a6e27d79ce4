/**
 * `/v1/events`: what happens, as server-sent events, resumable with nothing missed.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { ApiKey } from "../../../core/directory.ts";
import { PLACE_PATTERN } from "../../../core/event_place.ts";
import { EVENT_TYPES } from "../../../core/events.ts";
import { UnavailableError } from "../../../core/ports/ingress.ts";
import type { EventSource, StreamedEvent } from "../../../core/ports/events.ts";
import { ANYONE, findKey } from "../auth.ts";
import type { AppDeps, RouteModule } from "../deps.ts";
import { invalidFields } from "../problem.ts";
import { allow, problems } from "../route.ts";
import { mayHear } from "./event_audience.ts";
import { EventStream } from "./event_stream.ts";

export interface EventRoutesDeps {
  readonly events: EventSource;
  /** Pause between signs of life, ms. @default {15_000} */
  readonly heartbeatMs?: number;
  /** Bytes that may wait for one client before it is sent away. @default {1_048_576} */
  readonly bufferBytesMax?: number;
  /** Clients at once; further ones are told to come again. @default {2_000} */
  readonly clientsMax?: number;
  /** An agent's stream begins; what it returns is called when it ends. */
  readonly onAgent?: (extensionId: string) => () => void;
  /** Ends all streams, and takes no more. */
  readonly closing?: AbortSignal;
}

const RETRY_MS = 1_000;
const HEARTBEAT_MS = 15_000;
const BUFFER_BYTES_MAX = 1_048_576;
const CLIENTS_MAX = 2_000;
const POSITION_CHARS_MAX = 2_000;

const encoder = new TextEncoder();

const Position = z.string().regex(PLACE_PATTERN, "not an id that this stream gave");
const Types = z.string().max(500).transform((text, context) => {
  const types = text.split(",").map((type) => type.trim());
  const unknown = types.find((type) => !(EVENT_TYPES as readonly string[]).includes(type));
  if (unknown === undefined) return new Set(types);
  context.addIssue({ code: "custom", message: `${unknown} is not one of ${EVENT_TYPES.join(", ")}` });
  return z.NEVER;
});

const route = createRoute({
  method: "get",
  path: "/v1/events",
  tags: ["Events"],
  summary:
    "Events as they happen: administrators, supervisors and readers get all, agents and platforms their own",
  description:
    "`id` is the client's place in the stream, `event` the type, `data` a CloudEvent. Coming again with the last " +
    "id, to whichever process, goes on from there: nothing is missed and nothing comes twice. Events of a " +
    "conversation come in order. A client that does not read is disconnected.",
  ...allow(...ANYONE),
  request: {
    headers: z.object({ "last-event-id": z.string().max(POSITION_CHARS_MAX).optional() }),
    query: z.object({
      lastEventId: z.string().max(POSITION_CHARS_MAX).optional().openapi({
        description: "For clients that cannot set the header `Last-Event-ID`, which goes before",
      }),
      types: Types.optional().openapi({ type: "string", example: "message.received,session.offered" }),
    }),
  },
  responses: {
    200: { description: "The stream", content: { "text/event-stream": { schema: z.string() } } },
    ...problems(),
  },
});

/** `/v1/events`. */
export function eventRoutes(own: EventRoutesDeps): RouteModule {
  const clientsMax = own.clientsMax ?? CLIENTS_MAX;
  let clients = 0;
  const encode = encodeOnce();
  return (app, deps) => {
    app.openapi(route, async (c) => {
      const { lastEventId, types } = c.req.valid("query");
      const after = await startOf(c.req.valid("header")["last-event-id"] || lastEventId, own.events);
      if (own.closing?.aborted) throw new UnavailableError("the server is stopping");
      if (clients >= clientsMax) throw new UnavailableError("too many clients listen to events", 5);
      clients++;
      const key = c.get("key");
      const left = key.role === "agent" && key.extensionId !== null
        ? own.onAgent?.(key.extensionId)
        : undefined;
      const body = listen({
        own,
        deps,
        after,
        types,
        encode,
        key,
        authorization: c.req.header("authorization"),
        onEnd: () => {
          clients--;
          left?.();
        },
      });
      return new Response(body, {
        headers: {
          "content-type": "text/event-stream",
          // The server would compress it, and hold it back for that.
          "cache-control": "no-store, no-transform",
          // Proxies such as nginx would hold events back.
          "x-accel-buffering": "no",
        },
      });
    });
  };
}

async function startOf(asked: string | undefined, events: EventSource): Promise<string> {
  if (asked === undefined || asked === "") {
    return await events.position().catch((error: Error) => {
      throw new UnavailableError(`the event stream cannot be reached: ${error.message}`);
    });
  }
  const position = Position.safeParse(asked);
  if (!position.success) {
    throw invalidFields([{ field: "lastEventId", message: position.error.issues[0]!.message }]);
  }
  return position.data;
}

interface Listening {
  readonly own: EventRoutesDeps;
  readonly deps: AppDeps;
  readonly after: string;
  readonly types: ReadonlySet<string> | undefined;
  readonly encode: (event: StreamedEvent) => Uint8Array;
  readonly key: ApiKey;
  readonly authorization: string | undefined;
  readonly onEnd: () => void;
}

function listen(options: Listening): ReadableStream<Uint8Array> {
  const { own, deps, after, types, encode, authorization } = options;
  const ending = new AbortController();
  let key = options.key;
  let looked = after;
  let told = after;
  const stream = new EventStream({
    bytesMax: own.bufferBytesMax ?? BUFFER_BYTES_MAX,
    onEnd: () => {
      clearInterval(heartbeat);
      own.closing?.removeEventListener("abort", close);
      ending.abort();
      options.onEnd();
    },
  });
  const close = () => stream.close();
  own.closing?.addEventListener("abort", close, { once: true });
  const heartbeat = setInterval(() => {
    const current = findKey(deps.directory, authorization, deps.now());
    if (current === undefined) return stream.close();
    key = current;
    // Events that are not for this client move its place on too: else it would come back far behind.
    stream.write(encoder.encode(looked === told ? ":\n\n" : `id: ${looked}\n\n`));
    told = looked;
  }, own.heartbeatMs ?? HEARTBEAT_MS);
  // The place to come back to is told at once, so that nothing is missed before the first event.
  stream.write(encoder.encode(`retry: ${RETRY_MS}\nid: ${after}\n\n`));
  own.events.subscribe({
    after,
    signal: ending.signal,
    onEvent: (event) => {
      looked = event.position;
      if (types !== undefined && !types.has(event.event.type)) return;
      if (!mayHear(key, event.event, deps.directory.current())) return;
      told = event.position;
      stream.write(encode(event));
    },
  }).catch((error) => deps.onError(error, { method: "GET", path: "/v1/events" })).finally(() =>
    stream.close()
  );
  return stream.body;
}

/** Encodes an event once for all who get it, one after the other. */
function encodeOnce(): (event: StreamedEvent) => Uint8Array {
  let position = "";
  let bytes = new Uint8Array();
  return (streamed) => {
    if (streamed.position !== position) {
      const { type } = streamed.event;
      bytes = encoder.encode(
        `id: ${streamed.position}\nevent: ${type}\ndata: ${JSON.stringify(streamed.event)}\n\n`,
      );
      position = streamed.position;
    }
    return bytes;
  };
}
