/**
 * What Patchbay needs of a telephony provider. One file implements it per provider, in `adapters/providers/`.
 * Everything here is pure: the ingress brings the request, the send worker makes the call.
 *
 * @module
 */
import type { z } from "zod";
import type { Channel } from "../channel.ts";
import type { MessageError } from "../errors.ts";
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
}

export interface ParsedInbound {
  /** Ours, E.164 or as configured. */
  readonly number: string;
  /** Theirs, E.164 where it is a phone number. */
  readonly contact: string;
  readonly text: string;
  readonly media: readonly Media[];
  /** The provider's id of this message; absent where the provider gives none. */
  readonly providerId?: string;
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
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export type SendResult =
  | { readonly kind: "accepted"; readonly providerId: string | null }
  | { readonly kind: "failed"; readonly error: MessageError; readonly retryAfterMs?: number };

export interface Provider {
  /** As it stands in URLs and channels, e.g. `twilio`. */
  readonly kind: string;
  readonly title: string;
  /** Schema of the channel's `credentials`; secret fields carry `.meta({ secret: true })`. */
  readonly credentials: z.ZodObject;
  /** Values that replace the shared settings' defaults. */
  readonly defaults: Readonly<Record<string, unknown>>;
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
  /** The call that proves the credentials, and what its answer means; null where the provider has none. */
  buildVerify(channel: Channel): HttpCall | null;
  readVerify(answer: HttpAnswer, channel: Channel): { readonly ok: boolean; readonly reason: string };
}
