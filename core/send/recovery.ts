/**
 * What becomes of the messages that a former owner of a send lane left under way.
 *
 * @module
 */
import type { Directory } from "../directory.ts";
import type { Provider } from "../ports/provider.ts";
import type { RecoveryPolicy } from "../ports/send_store.ts";
import { sendLaneOf } from "./queued_message.ts";

/** For each channel of those lanes: one whose provider knows repeats sends again, the others do as they are set. */
export function recoveryPolicies(
  lanes: readonly number[],
  directory: Directory,
  providers: ReadonlyMap<string, Provider>,
): RecoveryPolicy[] {
  const policies: RecoveryPolicy[] = [];
  for (const channel of directory.channels.values()) {
    const lane = sendLaneOf(channel.id);
    if (!lanes.includes(lane)) continue;
    const idempotent = providers.get(channel.provider)?.supports.idempotency ?? false;
    policies.push({
      channelId: channel.id,
      lane,
      policy: idempotent ? "requeue" : channel.settings.uncertain,
    });
  }
  return policies;
}
