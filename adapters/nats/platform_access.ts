/**
 * What a platform may do at the broker: listen to its own events, make requests on its own subject, and read its own
 * consumers, which are made for it.
 *
 * @module
 */
import type { BrokerGuest } from "../../core/ports/broker_guests.ts";
import type { PlatformAccess } from "../../core/ports/platform_broker.ts";
import type { Names } from "./topology.ts";

/** How the platform's program finds everything. */
export function platformAccess(names: Names, platformId: string): Omit<PlatformAccess, "servers"> {
  return {
    events: names.platformEvents(platformId),
    command: names.platformCommand(platformId),
    stream: names.eventStream,
    consumers: names.platformFeeds(platformId),
    apiPrefix: names.platformApi,
  };
}

/**
 * The platform as a guest. It may not make consumers: with the right to do so it could have events delivered to any
 * subject of ours. The API's own subjects are taken in a guest's account, hence the prefix.
 */
export function platformGuest(names: Names, platformId: string, publicKey: string): BrokerGuest {
  const { events, command, stream, consumers, apiPrefix } = platformAccess(names, platformId);
  return {
    account: platformId,
    publicKey,
    streams: [events],
    services: [
      { subject: command, to: command },
      ...consumers.flatMap((consumer) => {
        const info = `CONSUMER.INFO.${stream}.${consumer}`;
        const next = `CONSUMER.MSG.NEXT.${stream}.${consumer}`;
        const ack = `$JS.ACK.${stream}.${consumer}.>`;
        return [
          { subject: `${apiPrefix}.${info}`, to: `$JS.API.${info}` },
          { subject: `${apiPrefix}.${next}`, to: `$JS.API.${next}`, isStreamed: true },
          { subject: ack, to: ack },
        ];
      }),
    ],
  };
}
