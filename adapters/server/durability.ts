/**
 * What of the accepted could be lost with the broker's machines, in words for the log and `/readyz`.
 *
 * A client cannot learn whether a NATS server syncs before it acknowledges: the setting is told to the system account
 * and on the monitoring port only (`/varz`, `jetstream.config.sync_always`). So of servers that are not our own this
 * says that it is not known, rather than nothing.
 *
 * @module
 */
export interface Durability {
  readonly text: string;
  /** Something accepted could be lost, as far as this process knows. */
  readonly isAtRisk: boolean;
}

/** The time between syncs that servers have without a setting: https://docs.nats.io/running-a-nats-service/configuration */
const SYNC_DEFAULT = "2 minutes";

/** `embedded`: the server is the one that we started, with `sync_interval: always`. */
export function durabilityOf(
  { embedded, replicas }: { readonly embedded: boolean; readonly replicas: number },
): Durability {
  if (embedded) {
    return {
      isAtRisk: false,
      text:
        "1 copy, on disk before it is acknowledged: what was accepted survives a crash and a power cut, not the " +
        "loss of the disk",
    };
  }
  const unknown = "whether the servers write to disk before they acknowledge is not known here " +
    "(set sync_interval: always, and see jetstream.config.sync_always in their /varz)";
  if (replicas === 1) {
    return {
      isAtRisk: true,
      text:
        `1 copy; ${unknown}: if they do not, up to ${SYNC_DEFAULT} of accepted messages are lost with a power ` +
        "cut; with the disk everything not yet applied is lost. PATCHBAY_REPLICAS=3 keeps copies on three servers",
    };
  }
  const survives = (replicas - 1) / 2;
  return {
    isAtRisk: false,
    text:
      `${replicas} copies: what was accepted survives the loss of ${survives} of ${replicas} servers; ${unknown}: if ` +
      `they do not, up to ${SYNC_DEFAULT} of it are lost when ${
        survives + 1
      } or more lose power at the same time`,
  };
}
