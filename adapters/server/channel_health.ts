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

const GRAVITY: Readonly<Record<Health["status"], number>> = { connected: 0, degraded: 1, "auth-failed": 2 };

type Note = (channel: Channel, health: Health | null) => void;

/** Takes what sending and polling show of a channel, however often; the worse of both is its status. */
export function createChannelHealth(
  options: ChannelHealthOptions,
): { readonly sending: Note; readonly polling: Note } {
  const write = createWriter(options);
  const seen = { sending: new Map<string, Health>(), polling: new Map<string, Health>() };
  const note = (source: keyof typeof seen): Note => (channel, health) => {
    if (health === null || !channel.enabled) seen[source].delete(channel.id);
    else seen[source].set(channel.id, health);
    const sending = seen.sending.get(channel.id);
    const polling = seen.polling.get(channel.id);
    const isPollingWorse = polling !== undefined &&
      (sending === undefined || GRAVITY[polling.status] > GRAVITY[sending.status]);
    write(channel, (isPollingWorse ? polling : sending) ?? null);
  };
  return { sending: note("sending"), polling: note("polling") };
}

/** Writes only changes. */
function createWriter(options: ChannelHealthOptions): Note {
  const written = new Map<string, string>();
  return (channel, health) => {
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
