/**
 * Trying a channel's credentials, and whether a number is its account's, with a real call.
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

/** Whether a number is its channel's account's, as the provider says; null where the provider cannot be asked. */
export function createNumberVerification(
  directory: DirectorySource,
  providers: ReadonlyMap<string, Provider>,
  callProvider: CallProvider,
): (numberId: string) => Promise<Verification | null> {
  return async (numberId) => {
    const { numbers, channels } = directory.current();
    const number = numbers.get(numberId);
    const channel = number && channels.get(number.channelId);
    if (number === undefined || channel === undefined) {
      return { ok: false, reason: "the number is not there any more", fault: "unreachable" };
    }
    const check = providers.get(channel.provider)?.numberCheck;
    if (check === undefined || !number.number.startsWith("+")) return null;
    const result = await callProvider(channel, check.build(number.number, channel));
    if (result.kind !== "answered") return { ok: false, reason: result.reason, fault: "unreachable" };
    const { ok, reason } = check.read(result.answer, number.number);
    return result.answer.status === 200 ? { ok, reason } : { ok, reason, fault: "unreachable" };
  };
}
