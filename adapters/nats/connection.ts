/**
 * The connection to NATS, and what the server behind it can do.
 *
 * @module
 */
import {
  AuthorizationError,
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  tokenAuthenticator,
  UserAuthenticationExpiredError,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";

export interface NatsSettings {
  /** Comma-separated `host:port` or `nats://…`. */
  readonly url: string;
  /** Shown as a token, and as the password of the user `patchbay`: a server with accounts knows users only. */
  readonly token?: string;
  /** Path of a credentials file. */
  readonly credsFile?: string;
  /** Path of the certificate authority's file. */
  readonly tlsCaFile?: string;
  /** In place of `tlsCaFile`, where the server is our own child. */
  readonly tls?: ConnectionOptions["tls"];
  /** Shown in the server's connection list. */
  readonly name: string;
}

/** The oldest server that can fsync before it acknowledges (`sync_interval: always` works right since then). */
export const OLDEST_SERVER = "2.10.23";

/** The server answers, but this program cannot work with it: waiting does not help. */
export class UnsuitableServerError extends Error {
  override readonly name = "UnsuitableServerError";
}

/**
 * Connects, and stays: a lost connection is tried again for ever, since everything resumes from stored
 * positions. Rejects when the first connection cannot be made, or when the server is too old.
 */
export async function connectNats(settings: NatsSettings): Promise<NatsConnection> {
  const options: ConnectionOptions = {
    servers: settings.url.split(",").map((server) => server.trim()),
    name: settings.name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    pingInterval: 10_000,
    maxPingOut: 2,
    timeout: 3_000,
    noAsyncTraces: true,
    ...(settings.token
      ? {
        authenticator: [
          tokenAuthenticator(settings.token),
          usernamePasswordAuthenticator("patchbay", settings.token),
        ],
      }
      : {}),
    ...(settings.credsFile
      ? { authenticator: credsAuthenticator(await Deno.readFile(settings.credsFile)) }
      : {}),
    ...(settings.tlsCaFile ? { tls: { caFile: settings.tlsCaFile } } : {}),
    ...(settings.tls ? { tls: settings.tls } : {}),
  };
  const connection = await connect(options).catch((error: Error) => {
    if (error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError) {
      throw new UnsuitableServerError(`the broker refuses the credentials: ${error.message}`);
    }
    throw error;
  });
  const version = connection.info?.version ?? "0.0.0";
  if (compareVersions(version, OLDEST_SERVER) < 0) {
    await connection.close();
    throw new UnsuitableServerError(
      `nats-server ${version} is too old: ${OLDEST_SERVER} or newer is needed, because older ones cannot ` +
        "fsync before they acknowledge",
    );
  }
  return connection;
}

/** Whether the server stores a batch of messages all or nothing, with one fsync (2.12 and newer). */
export function hasAtomicBatches(connection: NatsConnection): boolean {
  return compareVersions(connection.info?.version ?? "0.0.0", "2.12.0") >= 0;
}

/** Negative when `a` is older than `b`. Reads `major.minor.patch` and ignores what follows. */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string) => version.split(/[.+-]/).slice(0, 3).map((part) => Number(part) || 0);
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
