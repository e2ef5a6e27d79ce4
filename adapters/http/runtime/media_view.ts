/**
 * A message's files as the API shows them.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import type { MediaLinks } from "../../../core/media/media_links.ts";
import { isShownInline } from "../../../core/media/media_types.ts";
import { type Media, MEDIA_STATES } from "../../../core/message.ts";

/** Links for people hold this long; whoever needs a new one asks for the message again. */
const LINK_MS = 3_600_000;

export const MediaView = z.object({
  id: z.string().optional().openapi({ description: "Absent for a link to somewhere else" }),
  state: z.enum([...MEDIA_STATES, "deleted"]).optional().openapi({
    description: "`pending`: being fetched; `deleted`: its time is over. Absent for a link to somewhere else",
  }),
  url: z.string().optional().openapi({ description: "Of what is kept here: signed, and good for an hour" }),
  previewUrl: z.string().optional().openapi({ description: "A picture, to be shown in a page" }),
  contentType: z.string().optional(),
  sizeBytes: z.number().optional(),
  expiresAt: z.string().optional().openapi({ format: "date-time", description: "When it is deleted" }),
  reason: z.string().optional().openapi({ description: "Why it could not be kept" }),
}).openapi("Media");

/** Makes links of what is kept; links to somewhere else are shown as they are. */
export function mediaView(media: Media, links: MediaLinks, nowMs: number): z.output<typeof MediaView> {
  const { id, contentType, sizeBytes, expiresMs, reason } = media;
  const about = {
    ...(contentType === undefined ? {} : { contentType }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
  if (id === undefined) return { url: media.url, ...about };
  const isOver = media.state === "ready" && expiresMs !== undefined && expiresMs <= nowMs;
  const state = isOver ? "deleted" as const : media.state;
  const shared = {
    id,
    ...(state === undefined ? {} : { state }),
    ...about,
    ...(expiresMs === undefined ? {} : { expiresAt: new Date(expiresMs).toISOString() }),
    ...(reason === undefined ? {} : { reason }),
  };
  if (state !== "ready") return shared;
  const until = Math.min(nowMs + LINK_MS, expiresMs ?? Infinity);
  return {
    ...shared,
    url: links.url({ id, expiresMs: until, use: "file" }),
    ...(isShownInline(contentType ?? "")
      ? { previewUrl: links.url({ id, expiresMs: until, use: "preview" }) }
      : {}),
  };
}
