/**
 * Keeps webhooks whose signature did not fit, so that a wrong setting loses nothing: they can be looked at among
 * the dead letters, and are never routed.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import { newId } from "../../core/ids.ts";
import type { DeadLetterStore } from "../../core/ports/dead_letters.ts";
import type { WebhookRequest } from "../../core/ports/provider.ts";

/** Whoever knows the URL can send any number of unsigned requests; this many a minute are kept. */
const KEPT_PER_MINUTE = 60;
const PAYLOAD_BYTES_MAX = 65_536;

export interface QuarantineOptions {
  readonly deadLetters: DeadLetterStore;
  readonly now: () => number;
  readonly random: (bytes: Uint8Array) => void;
  readonly onError: (error: Error) => void;
}

export function createQuarantine(options: QuarantineOptions) {
  let minute = 0;
  let kept = 0;
  return (channel: Channel, reason: string, request: WebhookRequest): void => {
    const at = options.now();
    if (Math.floor(at / 60_000) !== minute) {
      minute = Math.floor(at / 60_000);
      kept = 0;
    }
    if (++kept > KEPT_PER_MINUTE) return;
    const payload = JSON.stringify({
      channelId: channel.id,
      method: request.method,
      query: request.query.toString(),
      contentType: request.headers.get("content-type"),
      body: new TextDecoder().decode(request.body.subarray(0, PAYLOAD_BYTES_MAX)).replaceAll("\0", "\ufffd"),
    });
    options.deadLetters.add({
      id: newId("deadLetter", at, options.random),
      at_ms: at,
      kind: "unsigned",
      stream: `webhook ${channel.provider}`,
      partition: 0,
      sequence: 0,
      reason,
      payload,
    }).catch(options.onError);
  };
}
