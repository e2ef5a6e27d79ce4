/**
 * A channel's status, as its calls to the provider show it: refused credentials and lost connections are noted
 * once, and so is the recovery.
 *
 * @module
 */
import type { Channel, ChannelStatus } from "../../core/channel.ts";
import type { ErrorClass } from "../../core/errors.ts";
import type { Settlement } from "../../core/send/outcome.ts";

export interface ChannelHealthOptions {
  readonly setStatus: (channelId: string, status: ChannelStatus, reason: string) => Promise<void>;
  readonly onError: (error: Error) => void;
}

/** Faults of the line or the account; all others are the message's own. */
const STATUS_OF: Readonly<Partial<Record<ErrorClass, ChannelStatus>>> = {
  auth: "auth-failed",
  account: "auth-failed",
  "no-credit": "degraded",
  timeout: "degraded",
  connection: "degraded",
  "provider-error": "degraded",
};

/** Takes each settlement; writes only changes. */
export function createChannelHealth(options: ChannelHealthOptions) {
  const known = new Map<string, ChannelStatus>();
  return (channel: Channel, settlement: Settlement): void => {
    const [status, reason] = read(settlement);
    if (status === undefined || known.get(channel.id) === status) return;
    known.set(channel.id, status);
    options.setStatus(channel.id, status, reason).catch((error: Error) => {
      known.delete(channel.id);
      options.onError(error);
    });
  };
}

function read(settlement: Settlement): [ChannelStatus | undefined, string] {
  switch (settlement.kind) {
    case "sent":
      return ["connected", "the provider took a message"];
    case "retry":
    case "hold":
    case "end":
      return [STATUS_OF[settlement.error.class], settlement.error.reason];
    case "returned":
      return [undefined, ""];
  }
}
