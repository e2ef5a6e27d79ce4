/**
 * Files that callers want to send: links to somewhere else, and what was uploaded here.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import type { Channel } from "../../../core/channel.ts";
import type { ApiKey } from "../../../core/directory.ts";
import type { MediaLinks } from "../../../core/media/media_links.ts";
import type { Media } from "../../../core/message.ts";
import type { KeptMedia, MediaRegistry } from "../../../core/ports/media_registry.ts";
import { invalidFields } from "../problem.ts";
import { authorOf } from "./caller.ts";
import { idField } from "./fields.ts";

const MEDIA_MAX = 10;
const HOUR_MS = 3_600_000;

const LinkField = z.object({
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  contentType: z.string().max(100).regex(/^[\w.+-]+\/[\w.+-]+$/, "not a media type").optional(),
}).strict();

const UploadField = z.object({
  id: idField("media").openapi({ description: "As `POST /v1/media` answered", example: "med_…" }),
}).strict();

export const OutgoingMediaField = z.array(z.union([UploadField, LinkField])).max(MEDIA_MAX)
  .openapi({ description: "Files that the provider fetches: uploaded here, or links to somewhere else" });

export type OutgoingMediaInput = z.output<typeof OutgoingMediaField>;

export interface OutgoingMediaDeps {
  readonly registry: MediaRegistry;
  readonly links: MediaLinks;
}

export interface SendingTime {
  readonly nowMs: number;
  /** Not to leave before. */
  readonly sendAtMs?: number;
}

/**
 * The media as the message carries them. What was uploaded is offered to the provider by a link that ends with the
 * channel's retention time, counted from the moment it may leave, and is kept until then.
 *
 * @throws {Problem} 400 for an id that the caller may not use, or that has expired
 */
export async function outgoingMedia(
  { registry, links }: OutgoingMediaDeps,
  input: OutgoingMediaInput,
  key: ApiKey,
  channel: Channel,
  { nowMs, sendAtMs = nowMs }: SendingTime,
): Promise<Media[]> {
  const ids = input.flatMap((one) => "id" in one ? [one.id] : []);
  if (ids.length === 0) return input as Media[];
  const untilMs = Math.max(nowMs, sendAtMs) + channel.settings.media.retentionHours * HOUR_MS;
  const found = await Promise.all(ids.map((id) => registry.get(id, nowMs)));
  const usable = new Map(
    found.flatMap((media) => media !== null && mayUse(key, media) ? [[media.id, media]] : []),
  );
  const errors = input.flatMap((one, index) =>
    "id" in one && !usable.has(one.id)
      ? [{ field: `media.${index}.id`, message: "there is no such file, or it has expired" }]
      : []
  );
  if (errors.length > 0) throw invalidFields(errors);
  const kept = new Map((await registry.keepUntil(ids, untilMs, nowMs)).map((media) => [media.id, media]));
  return input.map((one): Media => {
    if (!("id" in one)) return one;
    const { id, contentType, sizeBytes, expiresMs } = kept.get(one.id) ?? usable.get(one.id)!;
    return { id, contentType, sizeBytes, expiresMs, url: links.url({ id, expiresMs: untilMs, use: "file" }) };
  });
}

/** Agents and platforms send what they uploaded themselves. */
function mayUse(key: ApiKey, media: KeptMedia): boolean {
  const author = authorOf(key);
  return author.kind === "key" || media.author === `${author.kind}:${author.id}`;
}
