/**
 * Media of a process: the store, the links, and in the role `router` the worker that fetches.
 *
 * @module
 */
import { MediaLinks } from "../../core/media/media_links.ts";
import { MediaWorker } from "../../core/media/media_worker.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { MediaRegistry } from "../../core/ports/media_registry.ts";
import type { MediaStore } from "../../core/ports/media_store.ts";
import type { Provider } from "../../core/ports/provider.ts";
import { createDownload } from "../http_client/media_download.ts";
import type { PrivateAddressGuard } from "../http_client/private_address_guard.ts";
import { sniffType } from "../media/sniff.ts";
import type { EventPublisher } from "../nats/event_publisher.ts";
import { NatsMediaStore } from "../nats/media_store.ts";
import { PostgresMediaQueue } from "../postgres/media_queue.ts";
import { PostgresMediaRegistry } from "../postgres/media_registry.ts";
import { S3MediaStore } from "../s3/media_store.ts";
import { systemClock } from "../system/clock.ts";
import type { Config } from "../system/config.ts";
import type { Log } from "../system/log.ts";
import type { Metrics } from "./metrics.ts";
import type { Parts } from "./parts.ts";

export interface Media {
  readonly store: MediaStore;
  readonly links: MediaLinks;
  readonly registry: MediaRegistry;
}

/** Opens the store that the settings name. Rejects when the broker is away and media are kept there. */
export async function openMedia(config: Config, parts: Parts): Promise<Media> {
  const { mediaS3Endpoint: endpoint, mediaS3Bucket: bucket, mediaS3Key: key, mediaS3Secret: secret } = config;
  const store = endpoint === null || bucket === null || key === null || secret === null
    ? await NatsMediaStore.open({ ...parts, replicas: config.replicas })
    : new S3MediaStore({
      endpoint,
      bucket,
      region: config.mediaS3Region,
      accessKeyId: key,
      secretAccessKey: secret,
    });
  return {
    store,
    links: new MediaLinks(parts.masterKeys, config.publicUrl),
    registry: new PostgresMediaRegistry(parts.sql),
  };
}

export interface MediaWorkerParts {
  readonly media: Media;
  readonly parts: Parts;
  readonly directory: DirectorySource;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly guard: PrivateAddressGuard;
  readonly publisher: EventPublisher;
  readonly metrics: () => Metrics;
  readonly log: Log;
}

/** A worker; not yet started. */
export function createMediaWorker(options: MediaWorkerParts): MediaWorker {
  const { media, parts, publisher, log } = options;
  return new MediaWorker({
    queue: new PostgresMediaQueue(parts.sql, parts.processId),
    store: media.store,
    links: media.links,
    directory: options.directory,
    providers: options.providers,
    download: createDownload({ guard: options.guard }),
    sniff: sniffType,
    publish: (event) => publisher.publish({ events: [event] }),
    clock: systemClock,
    random: Math.random,
    onError: (error, what) => log.warn("media-failed", { what, reason: error.message }),
    onFetched: (provider, result, sizeBytes) => {
      options.metrics().mediaFetches.inc({ provider, result });
      if (sizeBytes > 0) options.metrics().mediaBytes.inc({ provider }, sizeBytes);
    },
  });
}
