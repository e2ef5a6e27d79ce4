/**
 * Keeps the channels' stored status in step with what their calls show.
 *
 * @module
 */
import type { Channel, ChannelStatus } from "../../core/channel.ts";
import type { Health } from "../../core/send/channel_health.ts";

export interface ChannelHealthOptions {
  readonly setStatus: (channelId: string, status: ChannelStatus, reason: string) => Promise<void>;
  readonly onError: (error: Error) => void;
}

/** Takes what is known of a channel, however often; writes only changes. */
export function createChannelHealth(options: ChannelHealthOptions) {
  const written = new Map<string, string>();
  return (channel: Channel, health: Health | null): void => {
    // Nothing is known after a start or a change of the settings: what is stored then is not ours.
    if (health === null || !channel.enabled) return void written.delete(channel.id);
    const fact = `${health.status} ${health.reason}`;
    if (written.get(channel.id) === fact) return;
    written.set(channel.id, fact);
    options.setStatus(channel.id, health.status, health.reason).catch((error: Error) => {
      written.delete(channel.id);
      options.onError(error);
    });
  };
}
