/**
 * What Patchbay needs of a telephony provider. One file implements it per provider, in `adapters/providers/`.
 * Everything here is pure: the ingress brings the request, the send worker makes the call.
 *
 * @module
 */
import type { z } from "zod";
import type { Channel, OwnNumber } from "../channel.ts";
import type { ErrorClass, MessageError } from "../errors.ts";
import type { Encoding, Media } from "../message.ts";

/** A webhook as it came in. */
export interface WebhookRequest {
  readonly method: "GET" | "POST";
  /** The public URL as the provider has it, query included: what signatures cover. */
  readonly url: string;
  /** What follows the secret in the path: "" for messages, "status" or "status/<message id>" for reports. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** When it came, ms since 1970: for signatures that hold for some minutes only. */
  readonly receivedMs: number;
  /** The address of whoever connected to us: a reverse proxy's where there is one. */
  readonly remoteAddress?: () => string;
}

/** One of several webhooks that bring one message together: a part of a long text, or its media. */
export interface Fragment {
  /** What all parts of one message have in common, and no other message between the same two numbers. */
  readonly group: string;
  /** Place of this part, from 1. */
  readonly index: number;
  /** At most 255. */
  readonly of: number;
  /** How long the others are waited for, counted from the first that came, ms. @default {600_000} */
  readonly waitMs?: number;
}

export interface ParsedInbound {
  /** Ours, E.164 or as configured. */
  readonly number: string;
  /** Theirs, E.164 where it is a phone number. */
  readonly contact: string;
  readonly text: string;
  readonly media: readonly Media[];
  /** The provider's id of this message, or of this part of it; absent where the provider gives none. */
  readonly providerId?: string;
  /** Present when this is a part that has to be joined with others. */
  readonly fragment?: Fragment;
}

export interface ParsedReport {
  readonly messageId?: string;
  readonly providerId?: string;
  readonly status: "sent" | "delivered" | "failed" | "undelivered" | "rejected" | "expired";
  readonly error?: MessageError;
}

export interface WebhookReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type WebhookResult =
  | {
    readonly kind: "accepted";
    readonly inbound: readonly ParsedInbound[];
    readonly reports: readonly ParsedReport[];
    readonly reply: WebhookReply;
  }
  /** `unsigned`: the signature is missing or wrong. `malformed`: a field is missing or wrong. */
  | {
    readonly kind: "refused";
    readonly why: "unsigned" | "malformed";
    readonly reason: string;
    readonly field?: string;
  };

/** A message as a provider gets it. */
export interface OutgoingMessage {
  readonly id: string;
  /** Ours. */
  readonly from: string;
  /** Theirs. */
  readonly to: string;
  readonly text: string;
  readonly encoding: Encoding;
  readonly segments: number;
  readonly media: readonly Media[];
  /** Where reports about this very message are to go; absent where the provider cannot be told. */
  readonly statusUrl: string;
  /** Seconds that it stays worth delivering, if limited. */
  readonly validitySeconds?: number;
}

export interface HttpCall {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How the body's characters become bytes. @default {"utf-8"} */
  readonly bodyCharset?: "utf-8" | "latin-1";
  /** How the answer's bytes become characters where it does not say. @default {"utf-8"} */
  readonly answerCharset?: "utf-8" | "latin-1";
  /** Present in a send to a provider that knows messages by a number of ours only. */
  readonly numbered?: NumberedCall;
}

/** A send that needs a number, which is kept before the call is made. */
export interface NumberedCall {
  readonly messageId: string;
  /** Theirs. */
  readonly to: string;
  /** The call to make in place of the one that this stands in. */
  build(number: number): HttpCall;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** The number that the call went with, if it was a {@link NumberedCall}. */
  readonly number?: number;
}

/** A message that was handed over under a number, and of which the provider has not told the end. */
export interface NumberedSend {
  /** From 1 to 2^31 - 1, counted up by channel. */
  readonly number: number;
  readonly messageId: string;
  /** Theirs. */
  readonly to: string;
  readonly sentMs: number;
  /** What the last poll wanted to be remembered; null at first. */
  readonly note: string | null;
}

export type SendResult =
  | { readonly kind: "accepted"; readonly providerId: string | null }
  | { readonly kind: "failed"; readonly error: MessageError; readonly retryAfterMs?: number };

export type PollResult =
  | {
    readonly kind: "polled";
    readonly inbound: readonly ParsedInbound[];
    readonly reports: readonly ParsedReport[];
    /** Where to go on; stored only after all of the above is durable. */
    readonly mark: string | null;
    /** What is news of the sends that were asked about; one that has ended is not asked about again. */
    readonly sends?: readonly { readonly number: number; readonly note: string; readonly ended: boolean }[];
    /** What came in and cannot be read: put aside for a person to look at. */
    readonly unreadable?: readonly { readonly reason: string; readonly content: string }[];
    /** Whether there is more to fetch at once. */
    readonly more: boolean;
  }
  | { readonly kind: "failed"; readonly error: MessageError };

/** Something that has to be fetched from a provider that does not call us. */
export interface ProviderPoll {
  /** Stable name: its mark is stored under it. */
  readonly name: string;
  /** Pause between two fetches, ms; null: not for this channel. */
  intervalMs(channel: Channel): number | null;
  /**
   * Present where it asks about numbered sends: about how many at once, and whether only about those that have a
   * note. It is not made while there are none.
   */
  readonly sends?: { readonly max: number; readonly noted: boolean };
  /** `mark`: what the last fetch ended with; null at the beginning. */
  build(channel: Channel, mark: string | null, sends: readonly NumberedSend[]): HttpCall;
  /** Never throws on any input. */
  read(
    answer: HttpAnswer,
    channel: Channel,
    mark: string | null,
    sends: readonly NumberedSend[],
  ): PollResult;
}

/** Where a statement about a provider comes from. `assumed`: no document says so, and a setting can change it. */
export type FactSource = "documented" | "assumed";

/** What people are told of a provider: `docs/providers.md` is made of it. */
export interface ProviderDescription {
  /** The provider's own documentation. */
  readonly docsUrl: string;
  /** How a webhook proves where it comes from, in words. */
  readonly authentication: string;
  readonly facts: readonly { readonly fact: string; readonly source: FactSource }[];
  /** Every published code that this provider's answers and reports are read by. */
  readonly errors: readonly {
    readonly code: string;
    readonly class: ErrorClass;
    readonly reason: string;
    readonly source: FactSource;
  }[];
}

export interface Provider {
  /** As it stands in URLs and channels, e.g. `twilio`. */
  readonly kind: string;
  readonly title: string;
  /** Schema of the channel's `credentials`; secret fields carry `.meta({ secret: true })`. */
  readonly credentials: z.ZodObject;
  /** Values that replace the shared settings' defaults. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** What one number of a type may send by itself, in units of cost, where that differs from the channel's rate. */
  readonly numberRates?: Readonly<
    Partial<Record<OwnNumber["type"], { readonly rateMps: number; readonly burst?: number }>>
  >;
  readonly description: ProviderDescription;
  readonly supports: {
    readonly mms: boolean;
    readonly deliveryReports: boolean;
    readonly signature: boolean;
    /** Whether a repeated send with the same key goes out once: settles uncertain sends. */
    readonly idempotency: boolean;
  };
  /** Authenticates and reads a webhook. Never throws on any input. */
  parseWebhook(request: WebhookRequest, channel: Channel): WebhookResult;
  /** The call that sends `message`. Throws only on a fault of configuration. */
  buildSend(message: OutgoingMessage, channel: Channel): HttpCall;
  /** What the provider's answer means. Never throws on any input. */
  readSend(answer: HttpAnswer, channel: Channel): SendResult;
  /**
   * The call to make instead when `challenge` asks for other credentials than `call` brings (HTTP Digest); null when
   * there is nothing to add: it is no challenge, or one that these credentials have failed. A call that was challenged
   * was not carried out. `use`: how often this challenge is answered, from 1.
   */
  authenticate?(challenge: HttpAnswer, call: HttpCall, channel: Channel, use: number): HttpCall | null;
  /** A cheap call to draw the challenge with, before anything with a body is sent; null where none is expected. */
  probe?(channel: Channel): HttpCall | null;
  /**
   * Headers that a file of a message is fetched with from `url`; null where that is not one of the provider's own
   * addresses, which alone may get its credentials. They go to the first address only, not where it redirects to.
   */
  mediaAuthorization?(url: URL, channel: Channel): Readonly<Record<string, string>> | null;
  readonly polls?: readonly ProviderPoll[];
  /** The call that proves the credentials, and what its answer means; null where the provider has none. */
  buildVerify(channel: Channel): HttpCall | null;
  readVerify(answer: HttpAnswer, channel: Channel): { readonly ok: boolean; readonly reason: string };
  /** Asks whether a number (E.164) is the account's; left out where the provider has no call for that. */
  readonly numberCheck?: {
    build(number: string, channel: Channel): HttpCall;
    /** Never throws on any input. */
    read(answer: HttpAnswer, number: string): { readonly ok: boolean; readonly reason: string };
  };
}
