/**
 * The HTTP side of a process: webhooks, the API and operations.
 *
 * @module
 */
import type { ConfigurationStore } from "../../core/ports/configuration.ts";
import type { ClusterSource } from "../../core/ports/cluster.ts";
import type { DeadLetterStore } from "../../core/ports/dead_letters.ts";
import type { PatchbayEvent } from "../../core/events.ts";
import type { EventSource } from "../../core/ports/events.ts";
import type { DispatchLog } from "../../core/ports/dispatch_log.ts";
import type { Ingress } from "../../core/ports/ingress.ts";
import type { PlatformBroker } from "../../core/ports/platform_broker.ts";
import type { CallProvider } from "../../core/ports/provider_call.ts";
import type { Provider } from "../../core/ports/provider.ts";
import { newId } from "../../core/ids.ts";
import { createApp } from "../http/app.ts";
import type { AppDeps, Readiness } from "../http/deps.ts";
import { createMediaHandler } from "../http/media/serve.ts";
import { uploadRoutes } from "../http/media/upload.ts";
import { callRoutes } from "../http/runtime/calls.ts";
import { callStatisticsRoutes } from "../http/runtime/call_statistics.ts";
import { clusterRoutes } from "../http/runtime/cluster.ts";
import { contactRoutes } from "../http/runtime/contacts.ts";
import { deadLetterRoutes } from "../http/runtime/dead_letters.ts";
import { doNotContactRoutes } from "../http/runtime/do_not_contact.ts";
import { reassignRoutes } from "../http/runtime/reassign.ts";
import { contactHistoryRoutes } from "../http/runtime/contact_history.ts";
import { archiveRoutes } from "../http/runtime/archive.ts";
import { eventRoutes } from "../http/runtime/events.ts";
import { liveQueueRoutes } from "../http/runtime/live_queue.ts";
import { messageRoutes } from "../http/runtime/messages.ts";
import { presenceRoutes } from "../http/runtime/presence.ts";
import { ruleTestRoutes } from "../http/runtime/rule_trial.ts";
import { sessionRoutes } from "../http/runtime/sessions.ts";
import { tellingAgents } from "../http/runtime/agent_message.ts";
import { statisticsRoutes } from "../http/runtime/statistics.ts";
import { supervisionRoutes } from "../http/runtime/supervision.ts";
import { sniffType } from "../media/sniff.ts";
import { languageDetector } from "../language/eld.ts";
import { PostgresArchiveSearch } from "../postgres/archive_search.ts";
import { PostgresDispatchQueries } from "../postgres/dispatch_queries.ts";
import { PostgresCallStatistics } from "../postgres/call_statistics.ts";
import { PostgresMessageQueries } from "../postgres/message_queries.ts";
import { PostgresOptOutQueries } from "../postgres/opt_out_queries.ts";
import { PostgresSessionQueries } from "../postgres/session_queries.ts";
import { PostgresStatisticsQueries } from "../postgres/statistics_queries.ts";
import { PostgresSupervisionQueries } from "../postgres/supervision_queries.ts";
import type { Config } from "../system/config.ts";
import type { Log } from "../system/log.ts";
import { contactBook } from "./contact_book.ts";
import { fillRandom } from "../system/random.ts";
import type { ConnectionReporter } from "./connections.ts";
import type { HttpHandler } from "./http.ts";
import { createWebhookHandler } from "../webhooks/handler.ts";
import type { Media } from "./media.ts";
import type { Metrics } from "./metrics.ts";
import type { Parts } from "./parts.ts";
import { createQuarantine } from "./quarantine.ts";
import { createNumberVerification, createVerification } from "./verification.ts";

export interface ApiOptions {
  readonly config: Config;
  readonly version: string;
  readonly parts: Parts;
  readonly directory: AppDeps["directory"];
  readonly configuration: ConfigurationStore;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly ingress: Ingress & DispatchLog;
  readonly connections: ConnectionReporter;
  readonly events: EventSource;
  /** Resolves when the event is in its stream. */
  readonly publishEvent: (event: PatchbayEvent) => Promise<void>;
  readonly deadLetters: DeadLetterStore;
  readonly cluster: ClusterSource;
  readonly callProvider: CallProvider;
  readonly platformBroker: PlatformBroker;
  readonly media: Media;
  readonly metrics: Metrics;
  readonly readiness: () => Promise<Readiness>;
  /** Ends the event streams, which would go on for ever. */
  readonly closing: AbortSignal;
  readonly log: Log;
  readonly now: () => number;
}

/** The handler of all requests; without the role `ingress`, of operations only. */
export function createApi(options: ApiOptions): HttpHandler {
  const { config, parts, directory, metrics, log } = options;
  const app = createApp({
    version: options.version,
    namespace: config.namespace,
    publicUrl: config.publicUrl,
    now: options.now,
    directory,
    configuration: options.configuration,
    providers: options.providers,
    platformBroker: options.platformBroker,
    verifyChannel: createVerification(directory, options.providers, options.callProvider),
    verifyNumber: createNumberVerification(directory, options.providers, options.callProvider),
    announceChange: () => parts.connection.publish(parts.names.directoryChanged),
    readiness: options.readiness,
    metrics: metrics.registry,
    onError: (error, context) => log.error("request-failed", { ...context, reason: String(error) }),
    webhooks: webhooks(options),
    media: createMediaHandler({
      ...options.media,
      now: options.now,
      onServed: (status) => metrics.mediaServed.inc({ status }),
    }),
    modules: modules(options),
  });
  return config.roles.has("ingress")
    ? (request, remoteAddress) => app.fetch(request, { remoteAddress })
    : operationsOnly((request) => app.fetch(request));
}

function webhooks(options: ApiOptions): NonNullable<AppDeps["webhooks"]> {
  const { metrics, log } = options;
  return createWebhookHandler({
    directory: options.directory,
    providers: options.providers,
    ingress: options.ingress,
    publicUrl: options.config.publicUrl,
    now: options.now,
    onOutcome: (provider, outcome, durationMs) => {
      metrics.webhooks.inc({ provider, outcome });
      metrics.webhookSeconds.observe({ provider }, durationMs / 1000);
    },
    quarantine: createQuarantine({
      deadLetters: options.deadLetters,
      now: options.now,
      random: fillRandom,
      onError: (error) => log.warn("failed", { what: "keep an unsigned webhook", reason: error.message }),
    }),
  });
}

function modules(
  { parts, ingress, connections, events, publishEvent, deadLetters, cluster, media, closing, now }:
    ApiOptions,
): AppDeps["modules"] {
  const sessions = new PostgresSessionQueries(parts.db);
  const messages = new PostgresMessageQueries(parts.db);
  const archive = new PostgresArchiveSearch(parts.sql);
  const optOuts = new PostgresOptOutQueries(parts.db);
  const contacts = contactBook(parts, now);
  const dispatch = new PostgresDispatchQueries(parts.sql);
  return [
    reassignRoutes({ ingress, sessions }),
    sessionRoutes({ ingress, dispatch: ingress, sessions, media }),
    callRoutes({ ingress, sessions }),
    callStatisticsRoutes({ statistics: new PostgresCallStatistics(parts.db) }),
    messageRoutes({ ingress, messages, sessions, media }),
    uploadRoutes({ ...media, sniff: sniffType, newId: () => newId("media", now(), fillRandom) }),
    statisticsRoutes({ statistics: new PostgresStatisticsQueries(parts.db) }),
    ruleTestRoutes({ messages, contacts, languageDetector }),
    contactRoutes({ ingress, optOuts, contacts }),
    doNotContactRoutes({ ingress, optOuts }),
    archiveRoutes({ archive, media }),
    contactHistoryRoutes({ archive, sessions, media }),
    deadLetterRoutes({ ingress, dispatch: ingress, deadLetters }),
    eventRoutes({ events, closing, onAgent: (extensionId) => connections.began(extensionId) }),
    clusterRoutes({ cluster }),
    presenceRoutes({ dispatch: ingress, queries: dispatch }),
    liveQueueRoutes({ queries: dispatch }),
    supervisionRoutes({
      supervision: new PostgresSupervisionQueries(parts.sql),
      dispatch,
      tellAgent: tellingAgents(publishEvent),
    }),
  ];
}

const OPERATIONS = new Set(["/healthz", "/readyz", "/metrics"]);

function operationsOnly(handler: (request: Request) => Response | Promise<Response>): HttpHandler {
  return (request) =>
    OPERATIONS.has(new URL(request.url).pathname)
      ? handler(request)
      : new Response(`This process has no ingress role; it serves ${[...OPERATIONS].join(", ")}.\n`, {
        status: 404,
      });
}
