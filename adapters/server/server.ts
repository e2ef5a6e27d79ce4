/**
 * One process of Patchbay: opens its parts, starts its roles, and stops everything in the reverse order.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import type { ConfigurationStore } from "../../core/ports/configuration.ts";
import { createApp } from "../http/app.ts";
import type { Readiness } from "../http/deps.ts";
import { deadLetterRoutes } from "../http/runtime/dead_letters.ts";
import { eventRoutes } from "../http/runtime/events.ts";
import { messageRoutes } from "../http/runtime/messages.ts";
import { sessionRoutes } from "../http/runtime/sessions.ts";
import { statisticsRoutes } from "../http/runtime/statistics.ts";
import { OutgoingClient } from "../http_client/outgoing_client.ts";
import { parseAllowList, PrivateAddressGuard } from "../http_client/private_address_guard.ts";
import { EventHub } from "../nats/event_hub.ts";
import { EventPublisher } from "../nats/event_publisher.ts";
import { LogIngress } from "../nats/log_ingress.ts";
import { resealSecrets } from "../postgres/reseal.ts";
import { createConfigurationStore } from "../postgres/configuration_store.ts";
import { PostgresDeadLetterStore } from "../postgres/dead_letter_store.ts";
import { DirectoryStore } from "../postgres/directory_store.ts";
import { forgetExpired } from "../postgres/expiry.ts";
import { ensureMessagePartitions } from "../postgres/message_partitions.ts";
import { PostgresMessageQueries } from "../postgres/message_queries.ts";
import { PostgresSessionQueries } from "../postgres/session_queries.ts";
import { PostgresStatisticsQueries } from "../postgres/statistics_queries.ts";
import { PROVIDERS } from "../providers/registry.ts";
import { systemClock } from "../system/clock.ts";
import type { Config } from "../system/config.ts";
import type { Log } from "../system/log.ts";
import { fillRandom, newSecret } from "../system/random.ts";
import { createSecretBox } from "../system/secret_box.ts";
import { createWebhookHandler } from "../webhooks/handler.ts";
import { ensureAdministrator } from "./admin_key.ts";
import { BrokerWatch, checkDatabase } from "./broker_watch.ts";
import { createChannelHealth } from "./channel_health.ts";
import { serveHttp } from "./http.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { newProcessId, openParts, type Parts } from "./parts.ts";
import { startPlatforms } from "./platforms.ts";
import { periodically } from "./periodically.ts";
import { createQuarantine } from "./quarantine.ts";
import { type Router, startRouter } from "./router.ts";
import { type Sender, startSender } from "./sender.ts";
import { createVerification } from "./verification.ts";

export interface ServerOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
  /** Takes plain lines for the person who started the program. */
  readonly say: (text: string) => void;
  /** Gives up the start. */
  readonly signal: AbortSignal;
}

export interface Server {
  readonly url: string;
  readonly publicUrl: string;
  /** The first administrator's key, if it was made just now. */
  readonly newAdminKey: string | null;
  readonly parts: Parts;
  /** Stops in order; bounded. Safe to call once. */
  stop(): Promise<void>;
  /** Ends the embedded parts at once. */
  killNow(): void;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export async function startServer(options: ServerOptions): Promise<Server> {
  const { config, log, say, signal } = options;
  const now = systemClock.now;
  const stack = new AsyncDisposableStack();
  try {
    const parts = await openParts({ config, say, signal, processId: newProcessId(fillRandom) });
    stack.defer(() => parts.close());
    const failed = (what: string) => (error: unknown) =>
      log.warn("failed", { what, reason: (error as Error).message });

    const box = createSecretBox(parts.masterKeys);
    const directory = stack.use(
      new DirectoryStore({
        db: parts.db,
        box,
        clock: systemClock,
        onError: failed("load the configuration"),
      }),
    );
    const configuration = createConfigurationStore({ db: parts.db, box, now, random: fillRandom, newSecret });
    const resealed = await resealSecrets(parts.db, box);
    if (resealed > 0) say(`Sealed ${resealed} secrets anew under the newest master key.`);
    const newAdminKey = await ensureAdministrator(configuration, config.adminKey);
    await directory.start();
    parts.connection.subscribe(parts.names.directoryChanged, { callback: () => directory.nudge() });

    const publisher = new EventPublisher(parts.connection, parts.names, parts.atomicBatches);
    const ingress = new LogIngress({
      connection: parts.connection,
      names: parts.names,
      partitions: config.partitions,
      processId: parts.processId,
    });
    stack.defer(() => ingress.stop());
    const hub = new EventHub(parts.connection, parts.jsm, parts.names, parts.processId);
    stack.defer(() => hub.stop());
    const http = stack.use(
      new OutgoingClient({ guard: new PrivateAddressGuard(parseAllowList(config.allowPrivate).list) }),
    );

    let router: Router | null = null;
    let sender: Sender | null = null;
    const metrics: Metrics = createMetrics({
      ingressPending: () => ingress.pending,
      eventsPending: () => publisher.pending,
      logWaiting: () => ({
        route: router?.owners.route.waiting ?? 0,
        status: router?.owners.status.waiting ?? 0,
        send: sender?.worker.stats.waiting ?? 0,
      }),
      partitionsOwned: () => ({
        route: router?.owners.route.owned.length ?? 0,
        status: router?.owners.status.owned.length ?? 0,
        send: sender?.worker.stats.lanes ?? 0,
      }),
    });
    const deadLetters = new PostgresDeadLetterStore(parts.db);

    // The publisher ends before the lanes do: what it leaves stays in the outbox for the next start.
    stack.defer(() => publisher.stop());
    if (config.roles.has("router")) {
      router = await startRouter({
        parts,
        partitions: config.partitions,
        directory,
        ingress,
        publisher,
        metrics: () => metrics,
        log,
        now,
      });
      const running = router;
      stack.defer(() => running.stop());
      const stopPlatforms = startPlatforms({
        parts,
        directory,
        providers: PROVIDERS,
        ingress,
        http,
        deadLetters,
        log,
        now,
      });
      stack.defer(stopPlatforms);
      for (const stop of maintenance(parts, configuration, failed)) stack.defer(stop);
    }
    if (config.roles.has("sender")) {
      sender = await startSender({
        parts,
        directory,
        providers: PROVIDERS,
        http,
        publisher,
        statusUrl: (channel, messageId) => {
          const secret = directory.current().webhookSecrets.get(channel.id);
          return `${webhookUrl(config.publicUrl, channel, secret)}/status/${messageId}`;
        },
        onResult: createChannelHealth({
          setStatus: configuration.setChannelStatus,
          onError: failed("note a channel's status"),
        }),
        metrics: () => metrics,
        log,
      });
      const running = sender;
      stack.defer(() => running.stop());
    }
    const broker = new BrokerWatch(parts.connection, () => {
      router?.restart("the broker is back");
      hub.restart("the broker is back");
      log.info("broker-back");
    }, now);

    const readiness = async (): Promise<Readiness> => {
      const checks = {
        broker: broker.check(),
        database: await checkDatabase(parts.sql),
        ...(router === null ? {} : { router: routerCheck(router) }),
        ...(sender === null ? {} : { sender: senderCheck(sender) }),
      };
      return { ready: Object.values(checks).every((check) => check.ok), checks };
    };
    const app = createApp({
      version: options.version,
      publicUrl: config.publicUrl,
      now,
      directory,
      configuration,
      providers: PROVIDERS,
      verifyChannel: createVerification(directory, PROVIDERS, http),
      announceChange: () => parts.connection.publish(parts.names.directoryChanged),
      readiness,
      metrics: metrics.registry,
      onError: (error, context) => log.error("request-failed", { ...context, reason: String(error) }),
      webhooks: createWebhookHandler({
        directory,
        providers: PROVIDERS,
        ingress,
        publicUrl: config.publicUrl,
        now,
        onOutcome: (provider, outcome, durationMs) => {
          metrics.webhooks.inc({ provider, outcome });
          metrics.webhookSeconds.observe({ provider }, durationMs / 1000);
        },
        quarantine: createQuarantine({
          deadLetters,
          now,
          random: fillRandom,
          onError: failed("keep an unsigned webhook"),
        }),
      }),
      modules: apiModules(parts, ingress, hub, deadLetters),
    });
    const server = serveHttp(config, config.roles.has("ingress") ? app.fetch : operationsOnly(app.fetch));
    stack.defer(() => server.stop());
    const owned = stack.move();
    return {
      url: server.url,
      publicUrl: config.publicUrl,
      newAdminKey,
      parts,
      stop: () => owned.disposeAsync(),
      killNow: () => parts.embedded?.killNow(),
    };
  } catch (error) {
    await stack.disposeAsync().catch(() => {});
    throw error;
  }
}

function apiModules(
  parts: Parts,
  ingress: LogIngress,
  events: EventHub,
  deadLetters: PostgresDeadLetterStore,
) {
  const sessions = new PostgresSessionQueries(parts.db);
  const messages = new PostgresMessageQueries(parts.db);
  return [
    sessionRoutes({ ingress, sessions }),
    messageRoutes({ ingress, messages, sessions }),
    statisticsRoutes({ statistics: new PostgresStatisticsQueries(parts.db) }),
    deadLetterRoutes({ ingress, deadLetters }),
    eventRoutes({ events }),
  ];
}

/** What a process without the role `ingress` answers: health, readiness and metrics. */
function operationsOnly(fetch: (request: Request) => Response | Promise<Response>) {
  return (request: Request): Response | Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (["/healthz", "/readyz", "/metrics"].includes(pathname)) return fetch(request);
    return new Response("This process has no ingress role; it serves /healthz, /readyz and /metrics.\n", {
      status: 404,
    });
  };
}

function maintenance(
  parts: Parts,
  configuration: ConfigurationStore,
  failed: (what: string) => (error: unknown) => void,
): (() => Promise<void>)[] {
  const onError = (name: string, error: Error) => failed(name)(error);
  return [
    periodically({
      name: "forget what is expired",
      intervalMs: HOUR_MS,
      run: async () => {
        await forgetExpired(parts.sql, systemClock.now());
        await configuration.forgetAnswers(new Date(systemClock.now() - DAY_MS));
      },
      onError,
    }),
    periodically({
      name: "make the coming months' partitions",
      intervalMs: 6 * HOUR_MS,
      run: async () => void await ensureMessagePartitions(parts.db, systemClock.now()),
      onError,
    }),
  ];
}

function routerCheck({ owners }: Router) {
  const states = Object.entries(owners).filter(([, owner]) => owner.state !== "running");
  return states.length === 0
    ? { ok: true, detail: "all partitions are applied" }
    : { ok: false, detail: states.map(([kind, owner]) => `${kind}: ${owner.state}`).join(", ") };
}

function senderCheck(sender: Sender) {
  return sender.whole()
    ? { ok: true, detail: "all lanes are owned" }
    : { ok: false, detail: "another process took send lanes over" };
}

function webhookUrl(publicUrl: string, channel: Channel, secret: string | undefined): string {
  return `${publicUrl}/webhooks/${channel.provider}/${secret ?? ""}`;
}
