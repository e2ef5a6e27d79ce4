/**
 * Making a provider's call.
 *
 * @module
 */
import type { Channel } from "../channel.ts";
import type { HttpAnswer, HttpCall } from "./provider.ts";

/** What became of a call. The difference that matters is whether the provider may have got the request. */
export type CallOutcome =
  | { readonly kind: "answered"; readonly answer: HttpAnswer }
  /** Nothing of the request was written: the provider cannot have it. */
  | { readonly kind: "not-connected"; readonly reason: string }
  /** The address may not be called, or is none: nothing was written, and another try cannot help. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The request was written, at least in part, and no answer came: the provider may have it. */
  | { readonly kind: "lost"; readonly cause: "timeout" | "broken"; readonly reason: string };

/** Makes `call` within the channel's `timeoutMs`. Never rejects. */
export type CallProvider = (channel: Channel, call: HttpCall) => Promise<CallOutcome>;
