/**
 * Sends to providers that know messages by a number of ours only: each try gets the channel's next number, which is
 * kept before the call is made, so that whatever happens to the call, its result can be asked for.
 *
 * @module
 */
import type { CallProvider } from "../ports/provider_call.ts";
import type { SendNumbers } from "../ports/poll_store.ts";

/** `call`, with numbers where a call wants one. `now`: wall clock, ms since 1970. */
export function numberedCalls(call: CallProvider, numbers: SendNumbers, now: () => number): CallProvider {
  return async (channel, request) => {
    const { numbered } = request;
    if (numbered === undefined) return await call(channel, request);
    const { messageId, to } = numbered;
    let number: number;
    try {
      number = await numbers.next({ channelId: channel.id, messageId, to, nowMs: now() });
    } catch (error) {
      return { kind: "not-connected", reason: `no number could be kept for it: ${(error as Error).message}` };
    }
    const outcome = await call(channel, numbered.build(number));
    return outcome.kind === "answered" ? { ...outcome, answer: { ...outcome.answer, number } } : outcome;
  };
}
