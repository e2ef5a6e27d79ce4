/**
 * The embedded default: a nats-server and a PostgreSQL as children of this process, everything they keep in
 * one data folder.
 *
 * @module
 */
import { join } from "node:path";
import type { BrokerGuest } from "../../core/ports/broker_guests.ts";
import { lockFolder, makeFolder, openDataFolder } from "./data_folder.ts";
import { findNatsServer } from "./nats_binary.ts";
import { type NatsServer, type NatsTls, startNatsServer } from "./nats_server.ts";
import { postgresPlace } from "./postgres_place.ts";
import { type PostgresServer, startPostgres } from "./postgres_server.ts";
import { loadSecrets } from "./secrets_file.ts";
import { supervise, type Supervised } from "./supervisor.ts";

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** Where the nats-server listens. @default a free port of 127.0.0.1 */
  readonly natsListen?: { readonly host: string; readonly port: number } | undefined;
  readonly natsTls?: NatsTls | undefined;
  /** Takes plain lines for the person who started the program. */
  readonly say: (text: string) => void;
  /** Gives up the start; what was started by then is ended. */
  readonly signal?: AbortSignal | undefined;
}

export interface Embedded extends AsyncDisposable {
  readonly natsUrl: string;
  /** The password of its user `patchbay`. */
  readonly natsToken: string;
  /** As `NatsServer.setGuests`, at the server that runs now. */
  setGuests(guests: readonly BrokerGuest[]): Promise<void>;
  readonly databaseUrl: string;
  /** 32 bytes, base64, from the data folder. */
  readonly masterKey: string;
  /** E.g. "2.15.1". */
  readonly natsVersion: string;
  /** Of the children that run now: they change when one is started again. */
  readonly pids: { readonly nats: number; readonly postgres: number };
  /** Ends both in good order and gives the folder free. Bounded: 14 s at worst. Safe to repeat. */
  stop(): Promise<void>;
  /** Ends both at once, without waiting. Nothing that was acknowledged is lost. */
  killNow(): void;
}

/**
 * Takes the data folder and starts both servers at the same time; resolves when both serve.
 *
 * @throws EmbeddedStartError in words for the person who started the program; the signal's reason when aborted
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { say } = options;
  const resources = new AsyncDisposableStack();
  try {
    const folder = resources.use(await openDataFolder(options.dataDir));
    const secrets = await loadSecrets(folder.path);
    const logs = join(folder.path, "logs");
    makeFolder(logs, 0o700);
    const place = postgresPlace(folder.path, say);
    if (place !== join(folder.path, "postgres")) resources.use(await lockFolder(place, "database folder"));

    // One that fails ends the other's start.
    const failing = new AbortController();
    const signal = options.signal === undefined
      ? failing.signal
      : AbortSignal.any([failing.signal, options.signal]);
    let natsVersion = "";
    const [nats, database] = await bothOrNone<Supervised<NatsServer>, Supervised<PostgresServer>>(
      supervise({
        name: "nats-server",
        say,
        signal,
        start: async (port, signal) => {
          const binary = await findNatsServer({ dataDir: folder.path, say, signal });
          natsVersion = binary.version;
          return startNatsServer({
            folder: join(folder.path, "nats"),
            token: secrets.natsToken,
            program: binary.path,
            host: options.natsListen?.host,
            port: port ?? options.natsListen?.port,
            tls: options.natsTls,
            logFile: join(logs, "nats-server.log"),
            say,
            signal,
          });
        },
      }),
      supervise({
        name: "PostgreSQL",
        say,
        signal,
        start: (port, signal) =>
          startPostgres({
            folder: place,
            password: secrets.databasePassword,
            port,
            logFile: join(logs, "postgres.log"),
            say,
            signal,
          }),
      }),
      failing,
    );
    const stop = async () => {
      await Promise.all([nats.stop(), database.stop()]);
      await resources.disposeAsync();
    };
    return {
      natsUrl: nats.current.url,
      natsToken: secrets.natsToken,
      setGuests: (guests) => nats.current.setGuests(guests),
      databaseUrl: database.current.databaseUrl,
      masterKey: secrets.masterKey,
      natsVersion,
      get pids() {
        return { nats: nats.current.pid, postgres: database.current.pid };
      },
      stop,
      killNow() {
        nats.killNow();
        database.killNow();
      },
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

/** Waits for both; when one fails, ends the other and throws the failure that came first. */
async function bothOrNone<A extends Stoppable, B extends Stoppable>(
  first: Promise<A>,
  second: Promise<B>,
  failing: AbortController,
): Promise<[A, B]> {
  try {
    return await Promise.all([first, second]);
  } catch (error) {
    failing.abort(error);
    const settled = await Promise.allSettled([first, second]);
    for (const result of settled) if (result.status === "fulfilled") await result.value.stop();
    throw error;
  }
}

interface Stoppable {
  stop(): Promise<void>;
}
