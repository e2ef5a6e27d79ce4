/**
 * One process of Patchbay: opens its parts, starts its roles, and stops everything in the reverse order.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import type { PartitionHolder } from "../../core/membership/partition_keeper.ts";
import type { MessageRow } from "../../core/message.ts";
import { OutgoingClient } from "../http_client/outgoing_client.ts";
import { providerCaller } from "../http_client/provider_caller.ts";
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
import { ConnectionReporter } from "./connections.ts";
import { createClusterSource } from "./cluster.ts";
import { durabilityOf } from "./durability.ts";
import { serveHttp } from "./http.ts";
import { startMaintenance } from "./maintenance.ts";
import { createMediaWorker, openMedia } from "./media.ts";
import { createMetrics, type LiveFigures, type Metrics } from "./metrics.ts";
import { newProcessId, openParts, type Parts } from "./parts.ts";
import { Membership } from "./membership.ts";
import { patiently } from "./patience.ts";
import { isBrokerExposed, openPlatformBroker } from "./platform_broker.ts";
import { servePlatforms, startPush } from "./platforms.ts";
import { startPolling } from "./polling.ts";
import { BrokerWatch, readinessOf } from "./readiness.ts";
import { type Router, startRouter } from "./router.ts";
import { type Sender, startSender } from "./sender.ts";
import { startArchiveIndex } from "./archive_index.ts";
import { createSingleton } from "./singleton.ts";

/** Of an answer to a provider's call: a device's whole inbox has room. */
const PROVIDER_ANSWER_BYTES_MAX = 4_194_304;

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
      configuration: () => directory.current().version,
      clock: systemClock,
    });
    stack.defer(() => ingress.stop());
    const publisher = new EventPublisher({
      connection: parts.connection,
      names: parts.names,
      atomic: parts.atomicBatches,
      deliver: (to, reply) => ingress.deliver(to, reply),
      command: (entry) => ingress.append(entry),
      dispatch: (entries) => ingress.tell(entries),
    });
    const hub = new EventHub(parts.connection, parts.jsm, parts.names, parts.processId);
    stack.defer(() => hub.stop());
    const guard = new PrivateAddressGuard(parseAllowList(config.allowPrivate).list);
    const http = stack.use(new OutgoingClient({ guard }));
    const media = await patiently({ what: "the media store", say, signal }, () => openMedia(config, parts));
    const mediaWorker = createMediaWorker({
      media,
      parts,
      directory,
      providers: PROVIDERS,
      guard,
      publisher,
      metrics: () => metrics,
      log,
    });
    const callProvider = providerCaller(http, {
      providers: PROVIDERS,
      clock: systemClock,
      maxBodyBytes: PROVIDER_ANSWER_BYTES_MAX,
    });

    const durability = durabilityOf({ embedded: config.natsServers === null, replicas: config.replicas });
    if (isBrokerExposed(config)) {
      log.warn("broker-without-tls", {
        reason:
          "the embedded nats-server listens beyond this machine without TLS: what it tells can be read on the " +
          "way (PATCHBAY_NATS_TLS_CERT, PATCHBAY_NATS_TLS_KEY)",
      });
    }
    if (durability.isAtRisk) log.warn("durability", { reason: durability.text });
    const membership = new Membership({ parts, config, version: options.version, log });
    const holders: PartitionHolder[] = [];
    let router: Router | null = null;
    let sender: Sender | null = null;
    let platformEndpoints: LiveFigures["platformEndpoints"] = () => [];
    const platformBroker = stack.use(
      openPlatformBroker({ parts, config, directory, onError: failed("let platforms in at the broker") }),
    );
    const metrics: Metrics = createMetrics({
      ingressPending: () => ingress.pending,
      eventsPending: () => publisher.pending,
      mediaUnderWay: () => mediaWorker.underWay,
      logWaiting: () => ({
        route: router?.owners.route.waiting ?? 0,
        status: router?.owners.status.waiting ?? 0,
        dispatch: router?.owners.dispatch.waiting ?? 0,
        send: sender?.worker.stats.waiting ?? 0,
      }),
      queues: () => router?.queues() ?? [],
      oldestDueAgeMs: () => sender?.worker.stats.oldestDueAgeMs ?? 0,
      platformEndpoints: () => platformEndpoints(),
      channels: () => sender?.worker.stats.channels ?? [],
      partitionsOwned: () => Object.fromEntries(membership.states.map(({ kind, held }) => [kind, held])),
    });
    const deadLetters = new PostgresDeadLetterStore(parts.db);

    stack.defer(() => publisher.stop());
    if (config.roles.has("router")) {
      router = startRouter({
        parts,
        partitions: config.partitions,
        directory,
        ingress,
        publisher,
        onQueued: (messages) => handOver(messages, sender),
        onCommitted: (row, epoch) => hub.committed(row, epoch),
        onFenced: (kind, partitions) => membership.taken(kind, partitions),
        onMedia: () => mediaWorker.nudge(),
        metrics: () => metrics,
        log,
        now,
      });
      const running = router;
      stack.defer(() => running.stop());
      mediaWorker.start();
      stack.defer(() => mediaWorker.stop());
      const platforms = { parts, directory, providers: PROVIDERS, ingress, http, deadLetters, log, now };
      stack.defer(servePlatforms(platforms));
      holders.push(
        router.owners.route,
        router.owners.status,
        router.owners.dispatch,
        createSingleton(() => {
          const stops = [
            startArchiveIndex(parts, (name, error) => failed(name)(error)),
            startPush({
              ...platforms,
              setPlatformStatus: configuration.setPlatformStatus,
              metrics: () => metrics,
              onEndpoints: (read) => platformEndpoints = read,
            }),
            startMaintenance(parts, configuration, (name, error) => failed(name)(error)),
          ];
          return async () => void await Promise.all(stops.map((stop) => stop()));
        }),
      );
    }
    if (config.roles.has("sender")) {
      const health = createChannelHealth({
        setStatus: configuration.setChannelStatus,
        onError: failed("note a channel's status"),
      });
      sender = startSender({
        parts,
        directory,
        providers: PROVIDERS,
        callProvider,
        publisher,
        statusUrl: (channel, messageId) => {
          const secret = directory.current().webhookSecrets.get(channel.id);
          return `${webhookUrl(config.publicUrl, channel, secret)}/status/${messageId}`;
        },
        onHealth: health.sending,
        onOptedOut: ({ id, number, contact }) => {
          // What is lost here is told again by the provider's next refusal.
          ingress.append({
            kind: "command",
            key: `opt-out:${id}`,
            at: now(),
            number,
            contact,
            author: { kind: "system", id: "provider" },
            command: { kind: "opt-out", source: "provider" },
          }).catch(failed("note an opt-out"));
        },
        isSure: () => membership.members.isSure(),
        onFenced: (lanes) => membership.taken("send", lanes),
        metrics: () => metrics,
        log,
      });
      const running = sender;
      stack.defer(() => running.stop());
      holders.push(sender.worker);
      stack.defer(startPolling({
        parts,
        directory,
        providers: PROVIDERS,
        ingress,
        callProvider,
        owns: (channelId) => running.worker.owns(channelId),
        deadLetters,
        onHealth: health.polling,
        metrics: () => metrics,
        log,
      }));
    }
    stack.defer(() => membership.leave());
    // From here on a stop no longer waits for a broker that is away: what is not published stays in the outbox.
    stack.defer(() => publisher.drain());
    const broker = new BrokerWatch(parts.connection, () => {
      router?.restart("the broker is back");
      hub.restart("the broker is back");
      membership.resume();
      log.info("broker-back");
    }, now);
    await membership.join(holders);

    const connections = new ConnectionReporter({ member: parts.processId, entries: ingress, now });
    stack.defer(() => connections.stop());
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
        connections,
        events: hub,
        publishEvent: (event) => publisher.publish({ events: [event] }),
        deadLetters,
        cluster: createClusterSource({ parts, members: membership.members, now }),
        callProvider,
        platformBroker,
        media,
        metrics,
        readiness: () => readinessOf({ broker, sql: parts.sql, membership, durability }),
        closing: closing.signal,
        log,
        now,
      }),
    );
    membership.members.listensAt(server.port);
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

/** Takes new messages to the sender of this very process; gives back those whose lanes are elsewhere. */
function handOver(messages: readonly MessageRow[], sender: Sender | null): readonly MessageRow[] {
  if (sender === null) return messages;
  const { worker } = sender;
  const own = messages.filter(({ channel_id }) => worker.owns(channel_id));
  if (own.length > 0) worker.onNudge(own);
  return own.length === messages.length ? [] : messages.filter(({ channel_id }) => !worker.owns(channel_id));
}
