/**
 * Trying a channel's credentials with a real call.
 *
 * @module
 */
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { CallProvider } from "../../core/ports/provider_call.ts";
import type { Provider } from "../../core/ports/provider.ts";
import type { Verification } from "../http/deps.ts";

export function createVerification(
  directory: DirectorySource,
  providers: ReadonlyMap<string, Provider>,
  callProvider: CallProvider,
): (channelId: string) => Promise<Verification> {
  return async (channelId) => {
    const channel = directory.current().channels.get(channelId);
    const provider = channel && providers.get(channel.provider);
    if (channel === undefined || provider === undefined) {
      return { ok: false, reason: "the channel is not there any more", fault: "unreachable" };
    }
    const call = provider.buildVerify(channel);
    if (call === null) return { ok: true, reason: `${provider.title} has no call that proves credentials` };
    const result = await callProvider(channel, call);
    if (result.kind !== "answered") return { ok: false, reason: result.reason, fault: "unreachable" };
    const { ok, reason } = provider.readVerify(result.answer, channel);
    return ok ? { ok, reason } : { ok, reason, fault: result.answer.status >= 500 ? "unreachable" : "auth" };
  };
}
