/**
 * What the partitions' logs hold. An entry is one input of one conversation (`ConversationEntry`, streams
 * `IN_<p>`) or one delivery report (`ReportEntry`, streams `STATUS_<p>`). One stream message packs the
 * entries that waited while the former one was written: `{"v":1,"c":7,"e":[…]}`.
 *
 * Wire format: add optional fields only; a change of meaning needs a new `v`.
 *
 * @module
 */
import { z } from "zod";
import { LINE_TEXTS } from "./automated_text.ts";
import { DestinationSchema } from "./channel.ts";
import { OPT_OUT_SOURCES } from "./opt_out/opt_out.ts";
import { NOTE_UNITS_MAX, TAGS_MAX, TagSchema } from "./session_notes.ts";

export const ENTRY_VERSION = 1;

const MediaSchema = z.object({
  url: z.string().max(4_000),
  contentType: z.string().max(200).optional(),
  sizeBytes: z.number().optional(),
  /** What was uploaded here, and when it is deleted. */
  id: z.string().max(64).optional(),
  expiresMs: z.number().optional(),
});

/** Parts of one text: the header of SMS has one byte for their number (3GPP TS 23.040, 9.2.3.24.1). */
export const FRAGMENTS_MAX = 255;

const FragmentSchema = z.object({
  group: z.string().max(200),
  index: z.number().int().min(1),
  of: z.number().int().min(1).max(FRAGMENTS_MAX),
  waitMs: z.number().int().min(0).optional(),
}).refine(({ index, of }) => index <= of, "the index is beyond the number of parts");

const AuthorSchema = z.object({ kind: z.enum(["extension", "platform", "key", "system"]), id: z.string() });

/** Why a session is taken from somebody: they went away, or did not answer. */
const TAKE_BACK_REASONS = ["gone", "ignored"] as const;

/** A contact's message, as a provider's webhook brought it. */
export const InboundEntrySchema = z.object({
  kind: z.literal("inbound"),
  /** What makes a repeat recognisable: from channel and provider id, or from the content. */
  key: z.string(),
  /** When the ingress accepted it, ms since 1970. */
  at: z.number(),
  channelId: z.string(),
  number: z.string(),
  contact: z.string(),
  text: z.string(),
  media: z.array(MediaSchema).optional(),
  providerId: z.string().optional(),
  /** Present in a part that is joined with others before anybody sees it. */
  fragment: FragmentSchema.optional(),
  /** W3C trace context. */
  trace: z.string().optional(),
});

export const CommandSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("accept"), sessionId: z.string(), extensionId: z.string() }),
  z.object({
    kind: z.literal("transfer"),
    sessionId: z.string(),
    to: DestinationSchema,
    note: z.string().max(NOTE_UNITS_MAX).optional(),
    /** An agent's, to a queue that is closed or that nobody serves. */
    anyway: z.boolean().optional(),
  }),
  z.object({ kind: z.literal("close"), sessionId: z.string() }),
  /** Of whoever it is offered to. */
  z.object({ kind: z.literal("decline"), sessionId: z.string(), extensionId: z.string() }),
  /** Offers a waiting session to one extension, if it still has the version that was seen; with `autoAccept` it is taken at once. */
  z.object({
    kind: z.literal("offer"),
    sessionId: z.string(),
    extensionId: z.string(),
    untilMs: z.number(),
    version: z.number().int(),
    autoAccept: z.boolean().optional(),
  }),
  /** Ends the offer that made the session's version. */
  z.object({ kind: z.literal("offer-expired"), sessionId: z.string(), version: z.number().int() }),
  /** Takes a session from whoever holds it or has it offered, back to its queue; with `close` it is closed. */
  z.object({
    kind: z.literal("take-back"),
    sessionId: z.string(),
    version: z.number().int(),
    reason: z.enum(TAKE_BACK_REASONS),
    close: z.boolean().optional(),
  }),
  z.object({ kind: z.literal("wrap-up-over"), sessionId: z.string(), version: z.number().int() }),
  /** Says the queue's text to a contact who waits in that queue; with `close`, that is all. */
  z.object({
    kind: z.literal("say"),
    sessionId: z.string(),
    queueId: z.string(),
    text: z.enum(LINE_TEXTS),
    /** In the line, from 1. */
    position: z.number().int().optional(),
    waitSeconds: z.number().optional(),
    close: z.boolean().optional(),
  }),
  /** For whoever reads the session; also after it was closed. */
  z.object({ kind: z.literal("note"), sessionId: z.string(), text: z.string().max(NOTE_UNITS_MAX) }),
  z.object({
    kind: z.literal("tag"),
    sessionId: z.string(),
    add: z.array(TagSchema).max(TAGS_MAX).optional(),
    remove: z.array(TagSchema).max(TAGS_MAX).optional(),
  }),
  /** Closes the session if nothing was written since `idleMs` was due. */
  z.object({ kind: z.literal("idle"), sessionId: z.string() }),
  /** Hands the session on if the time of the platform that has it is over, or if it is switched off. */
  z.object({ kind: z.literal("platform-overdue"), sessionId: z.string() }),
  /** Delivers what came of messages whose other parts are overdue. */
  z.object({ kind: z.literal("overdue-parts") }),
  /** Opens a session held by an extension; answers with the open one if that extension holds it already. */
  z.object({
    kind: z.literal("open"),
    extensionId: z.string(),
    /** The queue that it counts for. */
    queueId: z.string().optional(),
  }),
  z.object({
    kind: z.literal("send"),
    /** With it, only that open session may be written to; without, the message is filed with whatever session is open. */
    sessionId: z.string().optional(),
    text: z.string(),
    media: z.array(MediaSchema).optional(),
    priority: z.union([z.literal(0), z.literal(1)]),
    notBeforeMs: z.number().optional(),
    validityMs: z.number().optional(),
  }),
  /** The agent's call with the contact begins to be texted in. */
  z.object({
    kind: z.literal("open-call"),
    callId: z.string(),
    extensionId: z.string(),
    /** The queue that the call came through. */
    queueId: z.string().optional(),
    language: z.string().optional(),
  }),
  z.object({
    kind: z.literal("end-call"),
    callId: z.string(),
    /** What ended it, as the phone system says. */
    reason: z.string().optional(),
  }),
  /** A preset by its label, in the call's language unless another one is named, or else a text of one's own. */
  z.object({
    kind: z.literal("send-in-call"),
    callId: z.string(),
    preset: z.string().optional(),
    language: z.string().optional(),
    text: z.string().optional(),
  }),
  /** The contact wants no more messages from `number`, or from any of ours where that is `*`. */
  z.object({ kind: z.literal("opt-out"), source: z.enum(OPT_OUT_SOURCES) }),
  /** The contact wants them again. */
  z.object({ kind: z.literal("opt-in"), source: z.enum(OPT_OUT_SOURCES) }),
]);

export type Command = z.output<typeof CommandSchema>;

/** Something that a person, a platform, the API or a timer wants of a conversation. */
export const CommandEntrySchema = z.object({
  kind: z.literal("command"),
  /** Derived from the caller's idempotency key if there is one, else unique. */
  key: z.string(),
  at: z.number(),
  number: z.string(),
  contact: z.string(),
  author: AuthorSchema,
  /** NATS subject that waits for the {@link CommandReply}. */
  replyTo: z.string().optional(),
  command: CommandSchema,
  trace: z.string().optional(),
});

export const ConversationEntrySchema = z.discriminatedUnion("kind", [InboundEntrySchema, CommandEntrySchema]);

export type InboundEntry = z.output<typeof InboundEntrySchema>;
export type CommandEntry = z.output<typeof CommandEntrySchema>;
export type ConversationEntry = InboundEntry | CommandEntry;

/** A provider's word on what became of a message. */
export const ReportEntrySchema = z.object({
  kind: z.literal("report"),
  at: z.number(),
  channelId: z.string(),
  /** Ours, if the provider called the URL that names it. */
  messageId: z.string().optional(),
  /** The provider's. */
  providerId: z.string().optional(),
  status: z.enum(["sent", "delivered", "failed", "undelivered", "rejected", "expired"]),
  error: z.object({ class: z.string(), providerCode: z.string().optional(), reason: z.string() }).optional(),
  trace: z.string().optional(),
});

export type ReportEntry = z.output<typeof ReportEntrySchema>;

/** What the partition's owner answers when a command's effect is committed, or when it was refused. */
export type CommandReply =
  | {
    readonly ok: true;
    readonly sessionId?: string;
    readonly noteId?: string;
    readonly messageId?: string;
    /** Of a text that was split: all its messages in order, the first of them in `messageId`. */
    readonly messageIds?: readonly string[];
  }
  | {
    readonly ok: false;
    readonly status: number;
    readonly code: string;
    readonly detail: string;
    /** Who holds the session, when somebody else was first. */
    readonly holder?: { readonly extensionId: string };
  };

/**
 * Packs entries that are JSON already into one stream message. `configuration` is the version of the directory that they
 * were taken under: whoever applies them must know at least that one.
 */
export function packEntries(entries: readonly string[], configuration = 0): string {
  const known = configuration === 0 ? "" : `"c":${configuration},`;
  return `{"v":${ENTRY_VERSION},${known}"e":[${entries.join(",")}]}`;
}

/** An entry that could not be read, kept for the dead letters. */
export interface Undecodable {
  readonly kind: "undecodable";
  readonly reason: string;
  readonly payload: string;
}

/** What one stream message held. */
export interface Pack<T> {
  readonly entries: readonly (T | Undecodable)[];
  /** The version of the directory that they were taken under; 0: not said. */
  readonly configuration: number;
}

/** The entries of {@link unpack}. */
export function unpackEntries<T>(payload: string, schema: z.ZodType<T>): readonly (T | Undecodable)[] {
  return unpack(payload, schema).entries;
}

/**
 * Reads one stream message. Whatever does not fit comes back as {@link Undecodable} in its place, so that
 * one bad entry stops nobody.
 */
export function unpack<T>(payload: string, schema: z.ZodType<T>): Pack<T> {
  const unreadable = (reason: string): Pack<T> => ({
    entries: [{ kind: "undecodable", reason, payload }],
    configuration: 0,
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload);
  } catch (error) {
    return unreadable(`not JSON: ${(error as Error).message}`);
  }
  const pack = parsed as { v?: unknown; c?: unknown; e?: unknown } | null;
  if (pack === null || typeof pack !== "object" || !Array.isArray(pack.e)) {
    return unreadable("not a pack of entries: the field e must be a list");
  }
  if (pack.v !== ENTRY_VERSION) {
    return unreadable(`pack version ${JSON.stringify(pack.v)} is not known here`);
  }
  const entries = pack.e.map((entry): T | Undecodable => {
    const result = schema.safeParse(entry);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    return {
      kind: "undecodable",
      reason: `${issue?.path.join(".") || "entry"}: ${issue?.message ?? "does not fit"}`,
      payload: JSON.stringify(entry) ?? "null",
    };
  });
  return { entries, configuration: typeof pack.c === "number" ? pack.c : 0 };
}
