/**
 * The event that tells of an agent's presence.
 *
 * @module
 */
import { NO_CHANNEL, type PatchbayEvent } from "../events.ts";
import type { PresenceChange } from "./outcome.ts";

export function presenceEvent(
  id: string,
  atMs: number,
  { extensionId, presence, reason, by }: PresenceChange,
): PatchbayEvent {
  return {
    id,
    type: "agent.presence",
    atMs,
    channelId: NO_CHANNEL,
    number: NO_CHANNEL,
    audience: { extensionId },
    data: { extensionId, presence, reason, by },
  };
}
