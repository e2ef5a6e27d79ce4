/**
 * One process of Patchbay: opens its parts, starts its roles, and stops everything in the reverse order.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import { OutgoingClient } from "../http_client/outgoing_client.ts";
import { parseAllowList, PrivateAddressGuard } from "../http_client/private_address_guard.ts";
import { EventHub } from "../nats/event_hub.ts";
import { EventPublisher } from "../nats/event_publisher.ts";
import { LogIngress } from "../nats/log_ingress.ts";
import { resealSecrets } from "../postgres/reseal.ts";
import { createConfigurationStore } from "../postgres/configuration_store.ts";
import { PostgresDeadLetterStore } from "../postgres/dead_letter_store.ts";
import { DirectoryStore } from "../postgres/directory_store.ts";
import { PROVIDERS } from "../providers/registry.ts";
import { systemClock } from "../system/clock.ts";
import type { Config } from "../system/config.ts";
import type { Log } from "../system/log.ts";
import { fillRandom, newSecret } from "../system/random.ts";
import { createSecretBox } from "../system/secret_box.ts";
import { ensureAdministrator } from "./admin_key.ts";
import { createApi } from "./api.ts";
import { createChannelHealth } from "./channel_health.ts";
import { serveHttp } from "./http.ts";
import { startMaintenance } from "./maintenance.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { newProcessId, openParts, type Parts } from "./parts.ts";
import { startPlatforms } from "./platforms.ts";
import { BrokerWatch, readinessOf } from "./readiness.ts";
import { type Router, startRouter } from "./router.ts";
import { type Sender, startSender } from "./sender.ts";

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

    const ingress = new LogIngress({
      connection: parts.connection,
      names: parts.names,
      partitions: config.partitions,
      processId: parts.processId,
    });
    stack.defer(() => ingress.stop());
    const publisher = new EventPublisher({
      connection: parts.connection,
      names: parts.names,
      atomic: parts.atomicBatches,
      deliver: (to, reply) => ingress.deliver(to, reply),
    });
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

    stack.defer(() => publisher.stop());
    if (config.roles.has("router")) {
      router = await startRouter({
        parts,
        partitions: config.partitions,
        directory,
        ingress,
        publisher,
        onQueued: (messages) => sender?.whole() === true && (sender.worker.onNudge(messages), true),
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
      stack.defer(startMaintenance(parts, configuration, (name, error) => failed(name)(error)));
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
        onHealth: createChannelHealth({
          setStatus: configuration.setChannelStatus,
          onError: failed("note a channel's status"),
        }),
        metrics: () => metrics,
        log,
      });
      const running = sender;
      stack.defer(() => running.stop());
    }
    // From here on a stop no longer waits for a broker that is away: what is not published stays in the outbox.
    stack.defer(() => publisher.drain());
    const broker = new BrokerWatch(parts.connection, () => {
      router?.restart("the broker is back");
      hub.restart("the broker is back");
      log.info("broker-back");
    }, now);

    const closing = new AbortController();
    const server = serveHttp(
      config,
      createApi({
        config,
        version: options.version,
        parts,
        directory,
        configuration,
        providers: PROVIDERS,
        ingress,
        events: hub,
        deadLetters,
        http,
        metrics,
        readiness: () => readinessOf({ broker, sql: parts.sql, router, sender }),
        closing: closing.signal,
        log,
        now,
      }),
    );
    stack.defer(() => server.stop());
    stack.defer(() => closing.abort());
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

function webhookUrl(publicUrl: string, channel: Channel, secret: string | undefined): string {
  return `${publicUrl}/webhooks/${channel.provider}/${secret ?? ""}`;
}
