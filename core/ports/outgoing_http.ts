/**
 * Calls to providers and platforms, as those see it who make them.
 *
 * @module
 */
import type { HttpAnswer, HttpCall } from "./provider.ts";

export interface OutgoingCallOptions {
  /** For the whole call: finding the address, connecting, writing, and reading the answer. */
  readonly timeoutMs: number;
  /** What is longer is cut off. @default {65536} */
  readonly maxBodyBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * What became of a call. `written` says whether the other side may have the request: where it is false, another
 * try cannot repeat anything; where it is true, nobody knows.
 */
export type OutgoingResult =
  | { readonly kind: "answer"; readonly answer: HttpAnswer }
  /**
   * Nothing was written. `refused`: the address may not be called or is none, so that another try cannot help;
   * else there was no connection this time.
   */
  | { readonly kind: "no-connection"; readonly reason: string; readonly refused: boolean }
  | { readonly kind: "timeout" | "broken"; readonly written: boolean; readonly reason: string };

export interface OutgoingHttp {
  /** Makes one call: redirects are not followed and nothing is sent twice. Never rejects. */
  call(httpCall: HttpCall, options: OutgoingCallOptions): Promise<OutgoingResult>;
}
