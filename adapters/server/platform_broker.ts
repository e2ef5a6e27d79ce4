/**
 * Lets platforms in at the broker: the embedded one is told whom the directory names, and of another one this only
 * says what its operator has to do.
 *
 * @module
 */
import type { Directory } from "../../core/directory.ts";
import type { BrokerGuest } from "../../core/ports/broker_guests.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import type { PlatformBroker } from "../../core/ports/platform_broker.ts";
import { exportsFor, guestAccount } from "../embedded/nats_accounts.ts";
import { platformAccess, platformGuest } from "../nats/platform_access.ts";
import { newBrokerUser } from "../nats/platform_users.ts";
import type { Names } from "../nats/topology.ts";
import type { Config } from "../system/config.ts";
import type { Parts } from "./parts.ts";

export interface PlatformBrokerOptions {
  readonly parts: Pick<Parts, "embedded" | "names">;
  readonly config: Pick<Config, "natsServers" | "natsListen" | "natsTlsCertFile" | "publicUrl">;
  readonly directory: DirectorySource;
  /** Told when the broker does not take whom it is to let in; it is tried again. */
  readonly onError: (error: Error) => void;
}

const RETRY_MS = 2_000;

/** Follows the directory until disposed. */
export function openPlatformBroker(
  { parts, config, directory, onError }: PlatformBrokerOptions,
): PlatformBroker & AsyncDisposable {
  const { embedded, names } = parts;
  const own = config.natsServers === null ? embedded : null;
  const servers = own === null ? [...config.natsServers ?? []] : [serverUrl(own.natsUrl, config)];
  let told: string | null = null;
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  let retry: ReturnType<typeof setTimeout> | undefined;

  const tell = async (): Promise<void> => {
    const current = directory.current();
    // Before the first load it would seem that nobody may come.
    if (own === null || isStopped || current.version === 0) return;
    const guests = guestsOf(names, current);
    const text = JSON.stringify(guests);
    if (text === told) return;
    await own.setGuests(guests);
    told = text;
  };
  const follow = (): Promise<void> => {
    clearTimeout(retry);
    const done = running.then(tell);
    running = done.catch((error: Error) => {
      onError(error);
      if (!isStopped) retry = setTimeout(follow, RETRY_MS);
    });
    return done;
  };
  const unwatch = directory.onChange(() => void follow().catch(() => {}));
  follow().catch(() => {});
  return {
    newUser: own === null ? null : newBrokerUser,
    access: (platformId) => ({ servers, ...platformAccess(names, platformId) }),
    grant: (platformId) => grantText(platformGuest(names, platformId, "UREPLACE_WITH_THE_USERS_PUBLIC_KEY")),
    settled: follow,
    async [Symbol.asyncDispose]() {
      isStopped = true;
      unwatch();
      clearTimeout(retry);
      await running;
    },
  };
}

/** Whether texts and events can be read by others on their way to and from the embedded broker. */
export function isBrokerExposed(
  { natsServers, natsListen, natsTlsCertFile }: Pick<
    Config,
    "natsServers" | "natsListen" | "natsTlsCertFile"
  >,
): boolean {
  const isLocal = natsListen === null || /^(?:127\.|::1$|localhost$)/.test(natsListen.host);
  return natsServers === null && !isLocal && natsTlsCertFile === null;
}

/** A platform that is switched off has no business at the broker. */
function guestsOf(names: Names, { platforms }: Directory): BrokerGuest[] {
  return [...platforms.values()].filter(({ enabled }) => enabled)
    .flatMap(({ id, natsKey }) => natsKey === null ? [] : [platformGuest(names, id, natsKey)])
    .sort((a, b) => a.account < b.account ? -1 : 1);
}

/** As others reach it: where it listens on all addresses, by the name that this installation is known by. */
function serverUrl(
  localUrl: string,
  { natsListen, natsTlsCertFile, publicUrl }: PlatformBrokerOptions["config"],
): string {
  const url = new URL(localUrl);
  const isEverywhere = natsListen !== null && ["0.0.0.0", "::"].includes(natsListen.host);
  const host = isEverywhere ? new URL(publicUrl).hostname : url.hostname;
  return `${natsTlsCertFile === null ? "nats" : "tls"}://${host}:${url.port}`;
}

function grantText(guest: BrokerGuest): string {
  return [
    "# In the account that Patchbay connects to (here PATCHBAY), beside what it has:",
    "exports: [",
    ...exportsFor(guest).map((line) => `  ${line}`),
    "]",
    "# Beside that account; with nsc the same exports and imports, private to this account:",
    guestAccount(guest, "PATCHBAY"),
  ].join("\n");
}
