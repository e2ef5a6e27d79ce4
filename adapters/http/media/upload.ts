/**
 * `POST /v1/media`: a file that is to be sent. Streamed into the store, so that its size costs no memory.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { MEDIA_BYTES_MAX } from "../../../core/channel.ts";
import { repeatableKey } from "../../../core/command_key.ts";
import type { Role } from "../../../core/directory.ts";
import {
  type Intake,
  MediaRefusedError,
  type Sniff,
  takeIn,
  tooLarge,
  watch,
} from "../../../core/media/intake.ts";
import type { MediaLinks } from "../../../core/media/media_links.ts";
import type { KeptMedia, MediaRegistry } from "../../../core/ports/media_registry.ts";
import { UnavailableError } from "../../../core/ports/ingress.ts";
import type { MediaStore } from "../../../core/ports/media_store.ts";
import type { RouteModule } from "../deps.ts";
import { Problem } from "../problem.ts";
import { allow, IdempotencyHeader, json, problems } from "../route.ts";
import { authorOf } from "../runtime/caller.ts";
import { MediaView, mediaView } from "../runtime/media_view.ts";

export interface UploadRoutesDeps {
  readonly registry: MediaRegistry;
  readonly store: MediaStore;
  readonly links: MediaLinks;
  readonly sniff: Sniff;
  readonly newId: () => string;
}

export const UPLOAD_PATH = "/v1/media";
const UPLOADERS: readonly Role[] = ["administrator", "supervisor", "agent", "platform"];
const HOUR_MS = 3_600_000;
/** Until it is used in a message; from then on the channel's own time counts. */
const RETENTION_MS = 72 * HOUR_MS;
/** An upload that is not heard of for so long was broken off. */
const LEASE_MS = 60_000;

const uploadRoute = createRoute({
  method: "post",
  path: UPLOAD_PATH,
  tags: ["Media"],
  summary: "Takes a file in, to be sent by its id within 72 hours",
  description:
    `The body is the file itself, at most ${MEDIA_BYTES_MAX} bytes. What it is, is found out from its content.`,
  ...allow(...UPLOADERS),
  request: {
    headers: IdempotencyHeader,
    body: {
      required: true,
      content: {
        "application/octet-stream": { schema: z.any().openapi({ type: "string", format: "binary" }) },
      },
    },
  },
  responses: {
    201: json(MediaView.extend({ id: z.string() }).openapi("UploadedMedia"), "The file is kept"),
    ...problems(409, 413),
  },
});

/** `/v1/media`. */
export function uploadRoutes(own: UploadRoutesDeps): RouteModule {
  return (app, deps) => {
    app.openapi(uploadRoute, async (c) => {
      const request = c.req.raw;
      const declared = request.headers.get("content-length");
      if (declared !== null && Number(declared) > MEDIA_BYTES_MAX) throw refused(tooLarge(MEDIA_BYTES_MAX));
      const author = authorOf(c.get("key"));
      const key = c.req.valid("header")["idempotency-key"];
      const media = await upload(own, deps.now, {
        author: `${author.kind}:${author.id}`,
        uploadKey: key === undefined ? null : repeatableKey(c.get("key").id, key, UPLOAD_PATH),
        declaredType: request.headers.get("content-type"),
        body: request.body ?? new ReadableStream({ start: (controller) => controller.close() }),
      });
      const view = mediaView({ ...media, url: "", state: "ready" }, own.links, deps.now());
      return c.json({ ...view, id: media.id }, 201);
    });
  };
}

interface Upload {
  readonly author: string;
  readonly uploadKey: string | null;
  readonly declaredType: string | null;
  readonly body: ReadableStream<Uint8Array>;
}

async function upload(own: UploadRoutesDeps, now: () => number, what: Upload): Promise<KeptMedia> {
  const { registry, store, sniff } = own;
  const id = own.newId();
  const begun = await registry.begin({
    id,
    author: what.author,
    uploadKey: what.uploadKey,
    createdMs: now(),
    dueMs: now() + LEASE_MS,
  });
  if (begun.kind !== "begun") {
    await what.body.cancel();
    if (begun.kind === "there") return begun.media;
    throw new Problem(
      409,
      "The upload with this key is under way, or was broken off a moment ago; come again.",
      {
        code: "upload-under-way",
        headers: { "retry-after": "2" },
      },
    );
  }
  const body = watch(what.body);
  try {
    const rules = { declaredType: what.declaredType, types: [], maxBytes: MEDIA_BYTES_MAX, sniff };
    const intake: Intake = await takeIn(touching(body.bytes, own, id, now), rules);
    await store.put(id, intake.bytes, intake.contentType).catch((error) => {
      if (error instanceof MediaRefusedError || body.failure() !== null) throw error;
      throw new UnavailableError(`the file cannot be stored: ${(error as Error).message}`);
    });
    const media: KeptMedia = {
      id,
      contentType: intake.contentType,
      sizeBytes: intake.sizeBytes(),
      expiresMs: now() + RETENTION_MS,
      author: what.author,
    };
    if (!await registry.finish(media)) {
      throw new Error(`the upload ${id} was cleared away while it was under way`);
    }
    return media;
  } catch (error) {
    // Where this fails too, the lease ends by itself.
    await registry.abandon(id, now()).catch(() => {});
    if (error instanceof MediaRefusedError) throw refused(error);
    throw body.failure() === null ? error : new Problem(400, "The body ended early.");
  }
}

/** Passes `body` on, and says now and then that it goes on. */
async function* touching(
  body: AsyncIterable<Uint8Array>,
  { registry }: UploadRoutesDeps,
  id: string,
  now: () => number,
): AsyncGenerator<Uint8Array> {
  let touchedMs = now();
  for await (const chunk of body) {
    yield chunk;
    if (now() - touchedMs < LEASE_MS / 3) continue;
    touchedMs = now();
    await registry.touch(id, touchedMs + LEASE_MS);
  }
}

function refused(error: MediaRefusedError): Problem {
  const detail = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
  return error.kind === "size"
    // The rest of the body is not read, so the connection cannot be used again.
    ? new Problem(413, detail, { headers: { connection: "close" } })
    : new Problem(400, detail, { code: `media-${error.kind}` });
}
