/**
 * A provider as the simulator plays it.
 *
 * @module
 */
import type { ContactMessage, WebhookTarget } from "./contact.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";

/** The side that takes calls. */
export interface Carrier {
  /** Whether a request to this path is this provider's. */
  owns(path: string): boolean;
  handle(request: ServerRequest, atMs: number): ServerReply;
  /** Where reports go, for a provider that is not told with each send; null: nowhere. */
  setReportUrl?(url: string | null): void;
}

/** The side that calls: how a contact's message comes. */
export interface InboundWire {
  /** What a webhook is sent with when nothing else is said. */
  readonly defaults: Pick<WebhookTarget, "method" | "accountSid" | "authToken">;
  /** The id that the provider gives the contact's message with this sequence. */
  id(runHex: string, sequence: number): string;
  /** The whole request that brings `message`. */
  request(target: WebhookTarget, message: ContactMessage): string;
  /** The same where one message may come as several requests, in the order in which they leave. */
  requests?(target: WebhookTarget, message: ContactMessage): readonly string[];
}
