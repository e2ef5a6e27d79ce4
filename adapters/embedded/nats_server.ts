/**
 * The embedded nats-server: JetStream with fsync before every acknowledgement, loopback only, one token.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { statfsSync } from "node:fs";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { makeFolder } from "./data_folder.ts";
import { stopLeftovers } from "./leftovers.ts";
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
  /** @default `<folder>/nats-server.log` */
  readonly logFile?: string | undefined;
  readonly say?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface NatsServer extends RunningServer {
  /** Without the token: `nats://127.0.0.1:<port>`. */
  readonly url: string;
}

/** Packs of webhooks and their copies must fit. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;
const MAX_MEMORY_STORE_BYTES = 256 * 1024 * 1024;
/** Of the whole disk, not of what is free now: a limit that shrinks as the store grows stops it one day. */
const DISK_SHARE = 0.8;
const INFO_MS_MAX = 1_000;

interface Configuration {
  readonly folder: string;
  readonly token: string;
  readonly serverName: string;
  readonly port: number;
}

function configuration({ folder, token, serverName, port }: Configuration): string {
  const { blocks, bsize } = statfsSync(folder);
  const maxFileStoreBytes = Math.floor(blocks * bsize * DISK_SHARE);
  return `listen: ${JSON.stringify(`127.0.0.1:${port}`)}
server_name: ${JSON.stringify(serverName)}
authorization { token: ${JSON.stringify(token)} }
max_payload: ${MAX_PAYLOAD_BYTES}
jetstream {
  store_dir: ${JSON.stringify(join(folder, "jetstream"))}
  sync_interval: always
  max_memory_store: ${MAX_MEMORY_STORE_BYTES}
  max_file_store: ${maxFileStoreBytes}
}
`;
}

/** The name of the server that greets on `port`; null when none does. */
function greeting(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
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
  const configFile = join(folder, "nats-server.conf");
  // Greeted by this name, we are at our own server and not at another that took the port meanwhile.
  const serverName = `patchbay-${randomBytes(6).toString("hex")}`;
  const server = await startServer({
    name: "nats-server",
    port: options.port,
    command: (port) => {
      const text = configuration({ folder, token: options.token, serverName, port });
      Deno.writeTextFileSync(configFile, text, { mode: 0o600 });
      return {
        command: options.program,
        args: ["-c", configFile],
        cwd: folder,
        logFile: options.logFile ?? join(folder, "nats-server.log"),
        deathSignal: "SIGTERM",
      };
    },
    ready: async (_child, port) => await greeting(port) === serverName,
    stopSteps: [{ signal: "SIGTERM", waitMs: 5_000 }],
    killSignal: "SIGKILL",
    say: options.say ?? (() => {}),
    signal: options.signal,
  });
  return { ...server, url: `nats://127.0.0.1:${server.port}` };
}
