/**
 * The embedded nats-server: JetStream with fsync before every acknowledgement; on the loopback address unless told.
 * This program has an account of its own there, and each guest another one.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { statfsSync } from "node:fs";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { connect as connectNats, type ConnectionOptions } from "@nats-io/transport-node";
import type { BrokerGuest } from "../../core/ports/broker_guests.ts";
import { makeFolder } from "./data_folder.ts";
import { stopLeftovers } from "./leftovers.ts";
import { accountsBlock, OWN_ACCOUNT, SYSTEM_USER } from "./nats_accounts.ts";
import { readGuests, sameGuests, writeGuests } from "./nats_guests.ts";
import { type RunningServer, startServer } from "./server.ts";

export interface NatsServerOptions {
  /** Holds the configuration and the streams. The caller must be the only one to use it. */
  readonly folder: string;
  /** What clients have to show. */
  readonly token: string;
  /** Path of a nats-server, as `findNatsServer` gives it. */
  readonly program: string;
  /** @default any free one */
  readonly port?: number | undefined;
  /** @default 127.0.0.1 */
  readonly host?: string | undefined;
  readonly tls?: NatsTls | undefined;
  /** @default `<folder>/nats-server.log` */
  readonly logFile?: string | undefined;
  readonly say?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Paths of PEM files. */
export interface NatsTls {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface NatsServer extends RunningServer {
  /** For programs on this machine, without the token: `nats://127.0.0.1:<port>`. */
  readonly url: string;
  /**
   * Lets exactly these in from now on; connections of all others are closed. Connections of those who stay, and ours,
   * go on. Rejects when the server does not take it; a later start has them all the same.
   */
  setGuests(guests: readonly BrokerGuest[]): Promise<void>;
}

/** Packs of webhooks and their copies must fit. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;
const MAX_MEMORY_STORE_BYTES = 256 * 1024 * 1024;
/** Of the whole disk, not of what is free now: a limit that shrinks as the store grows stops it one day. */
const DISK_SHARE = 0.8;
const INFO_MS_MAX = 1_000;
const RELOAD_MS_MAX = 5_000;
const LOOPBACK = "127.0.0.1";

interface Configuration {
  readonly folder: string;
  readonly token: string;
  readonly serverName: string;
  readonly host: string;
  readonly port: number;
  readonly tls: NatsTls | undefined;
  readonly maxFileStoreBytes: number;
}

function configuration(options: Configuration, guests: readonly BrokerGuest[]): string {
  const { folder, token, serverName, host, port, tls, maxFileStoreBytes } = options;
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const tlsBlock = tls === undefined
    ? ""
    : `tls { cert_file: ${JSON.stringify(tls.certFile)}, key_file: ${JSON.stringify(tls.keyFile)} }\n`;
  return `listen: ${JSON.stringify(address)}
server_name: ${JSON.stringify(serverName)}
${tlsBlock}max_payload: ${MAX_PAYLOAD_BYTES}
jetstream {
  store_dir: ${JSON.stringify(join(folder, "jetstream"))}
  sync_interval: always
  max_memory_store: ${MAX_MEMORY_STORE_BYTES}
  max_file_store: ${maxFileStoreBytes}
}
${accountsBlock(token, guests)}`;
}

/** Streams made before there were accounts stand under the server's standard one: they move to ours. */
function adoptStreams(folder: string): void {
  const accounts = join(folder, "jetstream", "jetstream");
  try {
    Deno.renameSync(join(accounts, "$G"), join(accounts, OWN_ACCOUNT));
  } catch (error) {
    // A new folder, or one that the server itself complains of.
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
  }
}

/**
 * What our own connections need where the server speaks TLS. It is a child of this process, known by its name in the
 * greeting, and its certificate is for the name that others call it by.
 */
export function ownTls(tls: NatsTls | undefined): Pick<ConnectionOptions, "tls"> {
  return tls === undefined ? {} : { tls: { rejectUnauthorized: false } as ConnectionOptions["tls"] & object };
}

/** The name of the server that greets on `port`; null when none does. */
function greeting(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = "";
    const done = (name: string | null) => {
      socket.destroy();
      resolve(name);
    };
    socket.setTimeout(INFO_MS_MAX, () => done(null));
    socket.on("error", () => done(null));
    socket.on("close", () => resolve(null));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const info = /^INFO (\{.*\})\s*\r\n/.exec(text)?.[1];
      if (info !== undefined) done(JSON.parse(info).server_name ?? null);
    });
  });
}

/**
 * Starts a nats-server and waits until it greets, which it does when JetStream has recovered.
 *
 * @throws EmbeddedStartError when it cannot be started
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const folder = resolve(options.folder);
  makeFolder(folder, 0o700);
  await stopLeftovers(folder, ["nats-server"]);
  adoptStreams(folder);
  const { host = LOOPBACK, token, tls } = options;
  // All addresses of the machine are not one to connect to.
  const localHost = host === "0.0.0.0" || host === "::" ? LOOPBACK : host;
  const configFile = join(folder, "nats-server.conf");
  const { blocks, bsize } = statfsSync(folder);
  const maxFileStoreBytes = Math.floor(blocks * bsize * DISK_SHARE);
  // Greeted by this name, we are at our own server and not at another that took the port meanwhile.
  const serverName = `patchbay-${randomBytes(6).toString("hex")}`;
  let known = readGuests(folder);
  const write = (port: number, guests: readonly BrokerGuest[]) => {
    const text = configuration({ folder, token, serverName, host, port, tls, maxFileStoreBytes }, guests);
    Deno.writeTextFileSync(configFile, text, { mode: 0o600 });
  };
  const server = await startServer({
    name: "nats-server",
    port: options.port,
    command: (port) => {
      write(port, known);
      return {
        command: options.program,
        args: ["-c", configFile],
        cwd: folder,
        logFile: options.logFile ?? join(folder, "nats-server.log"),
        deathSignal: "SIGTERM",
      };
    },
    ready: async (_child, port) => await greeting(localHost, port) === serverName,
    stopSteps: [{ signal: "SIGTERM", waitMs: 5_000 }],
    killSignal: "SIGKILL",
    say: options.say ?? (() => {}),
    signal: options.signal,
  });
  const url = `nats://${localHost.includes(":") ? `[${localHost}]` : localHost}:${server.port}`;
  return {
    ...server,
    url,
    async setGuests(guests) {
      // JetStream is away for a moment while a server reads its accounts again: not for nothing, at every start.
      if (sameGuests(guests, known)) return;
      writeGuests(folder, guests);
      const before = new Set(known.map(({ account }) => account));
      const isNew = guests.some(({ account }) => !before.has(account));
      if (isNew) {
        // A server starts the imports of an account only at the reload after the one that brings it: nobody may
        // connect in between.
        write(
          server.port,
          guests.map((guest) => before.has(guest.account) ? guest : { ...guest, publicKey: "" }),
        );
        await reload(url, token, tls);
      }
      write(server.port, guests);
      await reload(url, token, tls);
      known = guests;
    },
  };
}

/** Has the server read its configuration again; resolves when it acts on it. */
async function reload(url: string, token: string, tls: NatsTls | undefined): Promise<void> {
  const connection = await connectNats({
    servers: url,
    user: SYSTEM_USER,
    pass: token,
    reconnect: false,
    timeout: RELOAD_MS_MAX,
    ...ownTls(tls),
  });
  try {
    const subject = `$SYS.REQ.SERVER.${connection.info?.server_id}.RELOAD`;
    const answer = await connection.request(subject, "", { timeout: RELOAD_MS_MAX });
    const { error } = answer.json<{ error?: { description?: string } }>();
    if (error !== undefined) {
      throw new Error(`nats-server refuses its configuration: ${error.description ?? "no reason given"}`);
    }
  } finally {
    await connection.close();
  }
}
