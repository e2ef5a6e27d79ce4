/**
 * The requests that platforms may make over NATS.
 *
 * @module
 */
import { z } from "zod";
import { DestinationSchema } from "../channel.ts";
import { ID_PREFIX, type IdKind, isId } from "../ids.ts";
import { TAGS_MAX, TagSchema } from "../session_notes.ts";

function idField(kind: IdKind) {
  return z.string().max(64).refine((text) => isId(kind, text), `not an id of the form ${ID_PREFIX[kind]}_…`);
}

/** PostgreSQL's text can hold neither NUL nor half a surrogate pair. */
const text = (unitsMax: number) =>
  z.string().max(unitsMax).refine(
    (value) => !value.includes("\0") && value.isWellFormed(),
    "has a NUL or half of a surrogate pair",
  );

const common = {
  sessionId: idField("session"),
  /** The same key again gets the same answer, and nothing is done twice. */
  idempotencyKey: z.string().min(1).max(200).optional(),
};

export const PlatformRequestSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("reply"),
    ...common,
    text: text(10_000).default(""),
    media: z.array(
      z.object({
        url: z.url({ protocol: /^https?$/ }).max(2_000),
        contentType: z.string().max(100).optional(),
      }).strict(),
    ).max(10).default([]),
  }).strict(),
  z.object({ type: z.literal("route"), ...common, to: DestinationSchema, note: text(2_000).optional() })
    .strict(),
  z.object({ type: z.literal("close"), ...common }).strict(),
  z.object({
    type: z.literal("tag"),
    ...common,
    add: z.array(TagSchema).max(TAGS_MAX).optional(),
    remove: z.array(TagSchema).max(TAGS_MAX).optional(),
  }).strict(),
  z.object({
    type: z.literal("follow"),
    consumer: z.string().max(100).optional().describe("One of the names in the credentials; else the first"),
    from: z.union([
      z.enum(["oldest", "new"]),
      z.object({ time: z.iso.datetime({ offset: true }) }).strict(),
      z.object({ sequence: z.number().int().min(1) }).strict(),
    ], 'must be "oldest", "new", {time: …} or {sequence: …}').optional().describe(
      "Where to read from; left out: where it was, or what is new",
    ),
  }).strict(),
]);

/** Makes the consumer ready that the platform reads. */
export type FollowRequest = Extract<PlatformRequest, { type: "follow" }>;

/** A request about a session. */
export type SessionRequest = Exclude<PlatformRequest, FollowRequest>;

export type PlatformRequest = z.output<typeof PlatformRequestSchema>;
