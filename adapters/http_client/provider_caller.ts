/**
 * Providers' calls over the outgoing client.
 *
 * @module
 */
import type { OutgoingHttp } from "../../core/ports/outgoing_http.ts";
import type { CallProvider } from "../../core/ports/provider_call.ts";

/** Makes providers' calls with `client`, each within its channel's `timeoutMs`. */
export function providerCaller(client: OutgoingHttp): CallProvider {
  return async (channel, call) => {
    const result = await client.call(call, { timeoutMs: channel.settings.timeoutMs });
    if (result.kind === "answer") return { kind: "answered", answer: result.answer };
    if (result.kind === "no-connection" && result.refused) return { kind: "refused", reason: result.reason };
    if (result.kind === "no-connection" || !result.written) {
      return { kind: "not-connected", reason: result.reason };
    }
    return { kind: "lost", cause: result.kind, reason: result.reason };
  };
}
