/**
 * A look into a running system past its API: its database and its broker, whether they are embedded or not.
 *
 * @module
 */
import { join } from "node:path";
import {
  connect,
  type NatsConnection,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { Names } from "../../adapters/nats/topology.ts";
import { connectDatabase, type Sql } from "../../adapters/postgres/database.ts";
import type { OutsideParts } from "./outside_parts.ts";
import type { System } from "./system.ts";

export interface Inside extends AsyncDisposable {
  readonly sql: Sql;
  readonly nats: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly names: Names;
}

/** Connects to what the system works with now. With embedded servers it holds until they are started again. */
export async function lookInside(system: System, outside?: OutsideParts): Promise<Inside> {
  const { natsUrl, natsToken, databaseUrl } = outside ?? await embedded(system.dataDir);
  const nats = await connect({
    servers: natsUrl,
    // One from outside knows a token, the embedded one users.
    authenticator: [tokenAuthenticator(natsToken), usernamePasswordAuthenticator("patchbay", natsToken)],
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  const sql = connectDatabase(databaseUrl, { max: 2, applicationName: "test" });
  return {
    sql,
    nats,
    jsm: await jetstreamManager(nats),
    names: new Names("patchbay"),
    async [Symbol.asyncDispose]() {
      await nats.close();
      await sql.end({ timeout: 1 });
    },
  };
}

/** What a query gives; null when its connection was cut, as the server's end does it: ask again. */
export async function unlessCut<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (CUT.test(String((error as { code?: unknown }).code))) return null;
    throw error;
  }
}

/** SQLSTATE class 57P (the operator's doing), and what postgres.js and the system say. */
const CUT = /^(57P0\d|CONNECTION_\w+|CONNECT_TIMEOUT|ECONN\w+|EPIPE)$/;

/** Where the embedded servers are: their own files say it. */
async function embedded(dataDir: string) {
  const secrets = JSON.parse(await Deno.readTextFile(join(dataDir, "secrets.json")));
  const nats = await Deno.readTextFile(join(dataDir, "nats", "nats-server.conf"));
  const elsewhere = await Deno.readTextFile(join(dataDir, "postgres-place")).catch(() => null);
  const folder = elsewhere?.trim() ?? join(dataDir, "postgres");
  const postgres = await Deno.readTextFile(join(folder, "postgresql.conf"));
  const address = /listen: "(127\.0\.0\.1:\d+)"/.exec(nats)?.[1];
  const port = /^port = '(\d+)'/m.exec(postgres)?.[1];
  if (address === undefined || port === undefined) throw new Error(`no addresses in ${dataDir}`);
  return {
    natsUrl: `nats://${address}`,
    natsToken: String(secrets.natsToken),
    databaseUrl: `postgres://patchbay:${secrets.databasePassword}@127.0.0.1:${port}/patchbay`,
  };
}
