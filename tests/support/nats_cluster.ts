/**
 * Three nats-servers as one cluster, each to be killed and started again by itself; fsync before every acknowledgement.
 *
 * @module
 */
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { freePort } from "../../adapters/embedded/free_port.ts";
import { findNatsServer } from "../../adapters/embedded/nats_binary.ts";
import { startServer } from "../../adapters/embedded/server.ts";
import { OutsidePart } from "./outside_parts.ts";
import { until } from "./until.ts";

const TOKEN = "token-of-the-cluster-tests";
const SERVERS = 3;

export interface NatsCluster extends AsyncDisposable {
  readonly servers: readonly OutsidePart[];
  /** Of all servers, separated by commas. */
  readonly natsUrl: string;
  readonly natsToken: string;
}

/** Resolves when JetStream answers. */
export async function startNatsCluster(): Promise<NatsCluster> {
  const folder = await Deno.makeTempDir({ prefix: "patchbay-test-cluster-" });
  const { path: program } = await findNatsServer({ dataDir: folder, say: console.log });
  const ports = Array.from({ length: SERVERS }, () => freePort());
  const routePorts = ports.map(() => freePort());
  const servers = ports.map((port, index) =>
    new OutsidePart(async () => {
      const own = join(folder, `n${index}`);
      await Deno.mkdir(own, { recursive: true });
      const config = join(own, "nats-server.conf");
      await Deno.writeTextFile(config, configuration(own, index, port, routePorts));
      return await startServer({
        name: "nats-server",
        port,
        command: () => ({
          command: program,
          args: ["-c", config],
          cwd: own,
          logFile: join(own, "nats-server.log"),
          deathSignal: "SIGTERM",
        }),
        ready: () => listens(port),
        stopSteps: [{ signal: "SIGTERM", waitMs: 10_000 }],
        killSignal: "SIGKILL",
        say: console.log,
      });
    })
  );
  const natsUrl = ports.map((port) => `nats://127.0.0.1:${port}`).join(",");
  await Promise.all(servers.map((server) => server.start()));
  await untilJetStream(natsUrl);
  return {
    servers,
    natsUrl,
    natsToken: TOKEN,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.stop()));
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function configuration(folder: string, index: number, port: number, routePorts: readonly number[]): string {
  const routes = routePorts.map((routePort) => `nats://127.0.0.1:${routePort}`);
  return `listen: "127.0.0.1:${port}"
server_name: n${index}
authorization { token: "${TOKEN}" }
max_payload: ${8 * 1024 * 1024}
jetstream {
  store_dir: ${JSON.stringify(join(folder, "jetstream"))}
  sync_interval: always
  max_memory_store: 268435456
  max_file_store: 10737418240
}
cluster {
  name: test
  listen: "127.0.0.1:${routePorts[index]}"
  routes: ${JSON.stringify(routes)}
}
`;
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** The servers have to find each other and choose a leader first. */
async function untilJetStream(servers: string): Promise<void> {
  const connection = await connect({ servers: servers.split(","), token: TOKEN });
  try {
    await until("JetStream answers", async () => {
      const manager = await jetstreamManager(connection).catch(() => null);
      return manager !== null && await manager.getAccountInfo().then(() => true, () => false);
    });
  } finally {
    await connection.close();
  }
}
