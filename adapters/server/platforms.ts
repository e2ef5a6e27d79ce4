/**
 * Third-party platforms: their requests over NATS and their HTTPS endpoints.
 *
 * @module
 */
import { jetstream } from "@nats-io/jetstream";
import type { ConfigurationStore } from "../../core/ports/configuration.ts";
import type { DeadLetterStore } from "../../core/ports/dead_letters.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { Ingress } from "../../core/ports/ingress.ts";
import type { OutgoingHttp } from "../../core/ports/outgoing_http.ts";
import type { Provider } from "../../core/ports/provider.ts";
import { PlatformCommands } from "../platforms/commands.ts";
import { openFeed } from "../platforms/feeds.ts";
import { PlatformPush } from "../platforms/push.ts";
import { PostgresSessionQueries } from "../postgres/session_queries.ts";
import { systemClock } from "../system/clock.ts";
import type { Log } from "../system/log.ts";
import type { Metrics } from "./metrics.ts";
import type { Parts } from "./parts.ts";

export interface PlatformsOptions {
  readonly parts: Parts;
  readonly directory: DirectorySource;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly ingress: Ingress;
  readonly http: OutgoingHttp;
  readonly deadLetters: DeadLetterStore;
  readonly log: Log;
  readonly now: () => number;
}

/** Serves platforms' requests, with any number of other processes. Returns the way to stop. */
export function servePlatforms(options: PlatformsOptions): () => Promise<void> {
  const { parts, directory, log, now } = options;
  const commands = new PlatformCommands({
    connection: parts.connection,
    subject: parts.names.platformCommands,
    ingress: options.ingress,
    sessions: new PostgresSessionQueries(parts.db),
    directory,
    providers: options.providers,
    openFeed: (platformId, request) => openFeed(parts.jsm, parts.names, platformId, request),
    now,
    onError: (error) => log.error("platform-request-failed", { reason: String(error) }),
  });
  commands.start();
  return () => commands.stop();
}

export interface PushOptions extends PlatformsOptions {
  readonly setPlatformStatus: ConfigurationStore["setPlatformStatus"];
  readonly metrics: () => Metrics;
  /** Given the way to see which endpoints fail. */
  readonly onEndpoints: (read: () => PlatformPush["endpoints"]) => void;
}

/** Posts events to platforms' endpoints: to be done by one process at a time. Returns the way to stop. */
export function startPush(options: PushOptions): () => Promise<void> {
  const { parts, directory, log, now } = options;
  const { setPlatformStatus, metrics } = options;
  const push = new PlatformPush({
    js: jetstream(parts.connection),
    jsm: parts.jsm,
    names: parts.names,
    directory,
    http: options.http,
    deadLetters: options.deadLetters,
    now,
    clock: systemClock,
    random: () => Math.random(),
    onHealth: (platformId, reason) => {
      if (reason === null) log.info("platform-answers", { platformId });
      else log.warn("platform-failing", { platformId, reason });
      setPlatformStatus(platformId, reason === null ? "ready" : "failing", reason ?? "it answers")
        .catch((error) => log.warn("failed", { what: "note a platform's status", reason: error.message }));
    },
    onDelivery: (platformId, { kind }) =>
      metrics().platformDeliveries.inc({ platform: platformId, result: kind }),
    onFault: (platformId, reason) => log.warn("platform-push-delayed", { platformId, reason }),
  });
  push.start();
  options.onEndpoints(() => push.endpoints);
  return async () => {
    options.onEndpoints(() => []);
    await push.stop();
  };
}
