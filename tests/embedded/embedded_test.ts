import { equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import postgres from "postgres";
import { type Embedded, startEmbedded } from "../../adapters/embedded/embedded.ts";
import { processesIn } from "../../adapters/embedded/leftovers.ts";
import { removeDataFolder } from "../../adapters/embedded/postgres_place.ts";

const PROGRAMS = ["nats-server", "postgres", "initdb", "setpriv"];

/** A data folder of its own; afterwards no process may be left in it. */
async function inDataFolder(body: (dataDir: string) => Promise<void>): Promise<void> {
  // The folder itself, not one below it: temporary folders are closed to PostgreSQL's user.
  const dataDir = await Deno.makeTempDir({ prefix: "patchbay-test-" });
  try {
    await body(dataDir);
    equal(processesIn(await Deno.realPath(dataDir), PROGRAMS).length, 0, "processes left behind");
  } finally {
    await removeDataFolder(dataDir);
  }
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return [...await sql.unsafe(text)];
  } finally {
    await sql.end();
  }
}

/** Appends to the stream KEPT and tells how many messages it has then. */
async function append(embedded: Embedded): Promise<number> {
  const connection = await connect({ servers: embedded.natsUrl, user: "patchbay", pass: embedded.natsToken });
  try {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "KEPT", subjects: ["kept"] });
    return (await jetstream(connection).publish("kept", "text")).seq;
  } finally {
    await connection.close();
  }
}

/** What the nats-server says to somebody who shows this. */
async function answerTo(url: string, shown: Readonly<Record<string, string>>): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const hello = `CONNECT ${JSON.stringify({ ...shown, verbose: false, pedantic: false })}\r\nPING\r\n`;
  await connection.write(new TextEncoder().encode(hello));
  const decoder = new TextDecoder();
  let text = "";
  for (const bytes = new Uint8Array(4_096);;) {
    const count = await connection.read(bytes).catch(() => null);
    if (count === null || /-ERR|PONG/.test(text)) return text;
    text += decoder.decode(bytes.subarray(0, count), { stream: true });
  }
}

async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  msMax = 15_000,
): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!await condition()) {
    ok(performance.now() < deadline, `not within ${msMax} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const alive = (pid: number) => {
  try {
    // A zombie has ended too; here this process is its parent or nobody we know is.
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
};

function startOther(dataDir: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(import.meta.resolve("./start_and_wait.ts")), dataDir],
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

async function firstLine(process: Deno.ChildProcess): Promise<string> {
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  return text;
}

Deno.test("the embedded servers keep everything over a restart, and take only who knows token and password", () =>
  inDataFolder(async (dataDir) => {
    const first = await startEmbedded({ dataDir, say: () => {} });
    const { natsUrl, databaseUrl } = first;
    equal(await append(first), 1);
    await query(databaseUrl, "create table kept (id int); insert into kept values (7)");
    match(await answerTo(natsUrl, { user: "patchbay", pass: "wrong" }), /authorization violation/i);
    match(await answerTo(natsUrl, {}), /authorization violation/i);
    await rejects(query(databaseUrl.replace(/:[0-9a-f]{64}@/, ":wrong@"), "select 1"));
    const settings = await query(
      databaseUrl,
      `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as sync,
       current_setting('listen_addresses') as listen, current_setting('server_encoding') as encoding`,
    );
    equal(JSON.stringify(settings), '[{"fsync":"on","sync":"on","listen":"127.0.0.1","encoding":"UTF8"}]');
    match(await Deno.readTextFile(join(dataDir, "nats", "nats-server.conf")), /sync_interval: always/);
    if (Deno.uid() === 0) notEqual((await Deno.stat(`/proc/${first.pids.postgres}`)).uid, 0);
    await first.stop();
    await first.stop();

    await using second = await startEmbedded({ dataDir, say: () => {} });
    equal(await append(second), 2);
    equal((await query(second.databaseUrl, "select id from kept"))[0]!.id, 7);
  }));

Deno.test("a data folder whose servers run is refused to a second run, which disturbs nothing", () =>
  inDataFolder(async (dataDir) => {
    await using embedded = await startEmbedded({ dataDir, say: () => {} });
    const pids = JSON.stringify(embedded.pids);
    await rejects(startEmbedded({ dataDir, say: () => {} }), /is in use by another run \(process \d+/);
    const other = startOther(dataDir);
    equal((await other.status).success, false);
    await other.stdout.cancel();
    equal(JSON.stringify(embedded.pids), pids);
    equal(await append(embedded), 1);
  }));

Deno.test("after kill -9 of the program its servers go, and the folder starts again with everything committed", () =>
  inDataFolder(async (dataDir) => {
    const other = startOther(dataDir);
    const { pids, databaseUrl } = JSON.parse(await firstLine(other));
    await query(databaseUrl, "create table kept (id int); insert into kept values (7)");
    other.kill("SIGKILL");
    await other.status;
    await using embedded = await startEmbedded({ dataDir, say: () => {} });
    ok(!alive(pids.nats) && !alive(pids.postgres), "servers of the killed run are left");
    equal((await query(embedded.databaseUrl, "select id from kept"))[0]!.id, 7);
  }));

Deno.test("SIGTERM stops program and servers in good order", () =>
  inDataFolder(async (dataDir) => {
    const other = startOther(dataDir);
    await firstLine(other);
    other.kill("SIGTERM");
    equal((await other.status).code, 0);
    equal(processesIn(await Deno.realPath(dataDir), PROGRAMS).length, 0);
    match(await Deno.readTextFile(join(dataDir, "logs", "postgres.log")), /database system is shut down/);
  }));

Deno.test("a server that is killed is started again on its port with everything it had", () =>
  inDataFolder(async (dataDir) => {
    const said: string[] = [];
    await using embedded = await startEmbedded({ dataDir, say: (text) => said.push(text) });
    const before = embedded.pids;
    equal(await append(embedded), 1);
    await query(embedded.databaseUrl, "create table kept (id int); insert into kept values (7)");
    Deno.kill(before.nats, "SIGKILL");
    Deno.kill(before.postgres, "SIGKILL");
    await until("both run again", () => said.filter((line) => line.endsWith("runs again.")).length === 2);
    notEqual(embedded.pids.nats, before.nats);
    notEqual(embedded.pids.postgres, before.postgres);
    equal(await append(embedded), 2);
    equal((await query(embedded.databaseUrl, "select id from kept"))[0]!.id, 7);
    match(said.join("\n"), /nats-server ended unexpectedly \(signal SIGKILL\); starting it again\./);
  }));

Deno.test("killNow ends both servers at once, also while one is being started again", () =>
  inDataFolder(async (dataDir) => {
    const embedded = await startEmbedded({ dataDir, say: () => {} });
    const { nats, postgres } = embedded.pids;
    Deno.kill(nats, "SIGKILL");
    embedded.killNow();
    await until("both have ended", () => !alive(nats) && !alive(postgres), 5_000);
    await embedded.stop();
  }));

Deno.test("a start that is given up leaves nothing running and the folder free", () =>
  inDataFolder(async (dataDir) => {
    const signal = AbortSignal.timeout(150);
    await rejects(startEmbedded({ dataDir, say: () => {}, signal }));
    equal(processesIn(await Deno.realPath(dataDir), PROGRAMS).length, 0);
    await using _embedded = await startEmbedded({ dataDir, say: () => {} });
  }));
