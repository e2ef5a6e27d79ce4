/**
 * A broker and a database that do not belong to the system under test: each keeps its port and its folder, and
 * can be killed and started again by itself.
 *
 * @module
 */
import { OWN_ACCOUNT } from "../../adapters/embedded/nats_accounts.ts";
import { join } from "node:path";
import { freePort } from "../../adapters/embedded/free_port.ts";
import { findNatsServer } from "../../adapters/embedded/nats_binary.ts";
import { startNatsServer } from "../../adapters/embedded/nats_server.ts";
import { startPostgres } from "../../adapters/embedded/postgres_server.ts";
import type { RunningServer } from "../../adapters/embedded/server.ts";

const TOKEN = "token-of-the-pipeline-tests";
const PASSWORD = "password-of-the-pipeline-tests";

/** One server; killed or not. */
export class OutsidePart {
  readonly #begin: () => Promise<RunningServer>;
  #running: RunningServer | null = null;

  constructor(begin: () => Promise<RunningServer>) {
    this.#begin = begin;
  }

  async start(): Promise<void> {
    this.#running ??= await this.#begin();
  }

  /** kill -9; resolves when it is gone. */
  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (running === null) return;
    Deno.kill(running.pid, "SIGKILL");
    await running.exited;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    await running?.stop();
  }
}

export interface OutsideParts extends AsyncDisposable {
  readonly broker: OutsidePart;
  readonly database: OutsidePart;
  /** Where the broker keeps its streams. */
  readonly natsFolder: string;
  readonly natsUrl: string;
  readonly natsToken: string;
  /** Where the broker keeps its streams. */
  readonly streamsFolder: string;
  readonly databaseUrl: string;
  /** What a system needs to use them. */
  readonly env: Readonly<Record<string, string>>;
}

/** Both on ports and folders of their own; neither runs until it is started. `natsProgram`: another nats-server. */
export async function prepareOutsideParts(
  { natsProgram }: { readonly natsProgram?: string } = {},
): Promise<OutsideParts> {
  // The folders themselves: temporary folders are closed to PostgreSQL's user.
  const [nats, postgres] = await Promise.all(
    ["nats", "pg"].map((name) => Deno.makeTempDir({ prefix: `patchbay-test-${name}-` })),
  );
  await Deno.chmod(postgres!, 0o755);
  const ports = { nats: freePort(), postgres: freePort() };
  const broker = new OutsidePart(async () => {
    const program = natsProgram ?? (await findNatsServer({ dataDir: nats!, say: console.log })).path;
    return await startNatsServer({ folder: nats!, token: TOKEN, program, port: ports.nats });
  });
  const database = new OutsidePart(() =>
    startPostgres({ folder: postgres!, password: PASSWORD, port: ports.postgres })
  );
  const natsUrl = `nats://127.0.0.1:${ports.nats}`;
  const databaseUrl = `postgres://patchbay:${PASSWORD}@127.0.0.1:${ports.postgres}/patchbay`;
  return {
    broker,
    database,
    natsFolder: nats!,
    natsUrl,
    natsToken: TOKEN,
    streamsFolder: join(nats!, "jetstream", "jetstream", OWN_ACCOUNT, "streams"),
    databaseUrl,
    env: { NATS_URL: natsUrl, NATS_TOKEN: TOKEN, DATABASE_URL: databaseUrl },
    async [Symbol.asyncDispose]() {
      await Promise.all([broker.stop(), database.stop()]);
      await Promise.all([nats!, postgres!].map((folder) => Deno.remove(folder, { recursive: true })));
    },
  };
}

/** Both, running. */
export async function startOutsideParts(): Promise<OutsideParts> {
  const parts = await prepareOutsideParts();
  await Promise.all([parts.broker.start(), parts.database.start()]);
  return parts;
}
