/**
 * `/media/{token}`: files by signed, expiring links, to providers that fetch what is to be sent and to agents
 * that look at what came. No key is asked for: the link is the right.
 *
 * @module
 */
import { readRange } from "../../../core/media/byte_range.ts";
import type { MediaLink, MediaLinks } from "../../../core/media/media_links.ts";
import { extensionOf, isShownInline } from "../../../core/media/media_types.ts";
import type { KeptMedia, MediaRegistry } from "../../../core/ports/media_registry.ts";
import type { MediaStore } from "../../../core/ports/media_store.ts";

export interface MediaHandlerOptions {
  readonly links: MediaLinks;
  readonly registry: MediaRegistry;
  readonly store: MediaStore;
  readonly now: () => number;
  /** Told of each answer. */
  readonly onServed: (status: number) => void;
}

/** A preview is the picture itself, since nothing here scales it: larger ones are offered to be saved. */
export const PREVIEW_BYTES_MAX = 10_485_760;
const PREFIX = "/media/";
const CACHE_SECONDS_MAX = 3_600;

/** Whether a file can be shown to an agent where it stands. */
export function hasPreview(
  { contentType, sizeBytes }: Pick<KeptMedia, "contentType" | "sizeBytes">,
): boolean {
  return isShownInline(contentType) && sizeBytes <= PREVIEW_BYTES_MAX;
}

/** The handler of everything below `/media/`. Rejects when the database is away. */
export function createMediaHandler(options: MediaHandlerOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await answer(request, options);
    options.onServed(response.status);
    return response;
  };
}

async function answer(request: Request, options: MediaHandlerOptions): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const nowMs = options.now();
  const link = options.links.read(new URL(request.url).pathname.slice(PREFIX.length), nowMs);
  const media = link === null ? null : await options.registry.get(link.id, nowMs);
  if (link === null || media === null) return gone();
  return deliver(request, link, media, options, nowMs);
}

function deliver(
  request: Request,
  link: MediaLink,
  media: KeptMedia,
  { store }: MediaHandlerOptions,
  nowMs: number,
): Response {
  const etag = `"${media.id}"`;
  const headers = new Headers({
    "content-type": media.contentType,
    "accept-ranges": "bytes",
    "etag": etag,
    "cache-control": `private, max-age=${cacheSeconds(link, media, nowMs)}, immutable`,
    "content-disposition": disposition(link, media),
    // Whatever a contact sent is no page of ours.
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "referrer-policy": "no-referrer",
  });
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers });
  const ifRange = request.headers.get("if-range");
  const wanted = ifRange === null || ifRange === etag ? request.headers.get("range") : null;
  const range = readRange(wanted, media.sizeBytes);
  if (range === "unsatisfiable") {
    headers.set("content-range", `bytes */${media.sizeBytes}`);
    headers.delete("content-disposition");
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = range === "whole" ? { start: 0, end: media.sizeBytes } : range;
  if (range !== "whole") headers.set("content-range", `bytes ${start}-${end - 1}/${media.sizeBytes}`);
  headers.set("content-length", String(end - start));
  const body = request.method === "HEAD" ? null : store.read(media.id, { start, end });
  return new Response(body, { status: range === "whole" ? 200 : 206, headers });
}

function disposition(link: MediaLink, media: KeptMedia): string {
  const kind = link.use === "preview" && hasPreview(media) ? "inline" : "attachment";
  return `${kind}; filename="${media.id}.${extensionOf(media.contentType)}"`;
}

function cacheSeconds(link: MediaLink, media: KeptMedia, nowMs: number): number {
  const leftMs = Math.min(link.expiresMs, media.expiresMs) - nowMs;
  return Math.max(0, Math.min(CACHE_SECONDS_MAX, Math.floor(leftMs / 1_000)));
}

/** Says no more: whoever guesses learns nothing. */
function gone(): Response {
  const problem = {
    type: "/problems/not-found",
    title: "Not found",
    status: 404,
    detail: "The link has expired, or there is no such file.",
  };
  return new Response(JSON.stringify(problem), {
    status: 404,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}
