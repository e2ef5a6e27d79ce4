import { equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import postgres from "postgres";
import { freePort, isPortFree } from "../../adapters/embedded/free_port.ts";
import { findNatsServer } from "../../adapters/embedded/nats_binary.ts";
import { startNatsServer } from "../../adapters/embedded/nats_server.ts";
import { startPostgres } from "../../adapters/embedded/postgres_server.ts";
import { EmbeddedStartError } from "../../adapters/embedded/start_error.ts";

const password = "0123456789abcdef";

async function inTempDir(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "patchbay-test-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("freePort gives free ports that outgoing connections are not given", () => {
  for (let i = 0; i < 20; i++) {
    const port = freePort();
    ok(isPortFree(port) && port >= 15_000 && port < 32_768);
  }
});

Deno.test("nats-server: started on the port asked for; one left behind in its folder is ended first", () =>
  inTempDir(async (folder) => {
    const { path: program } = await findNatsServer({ dataDir: folder, say: () => {} });
    const options = { folder: join(folder, "nats"), token: "t", program, port: freePort() };
    const first = await startNatsServer(options);
    equal(first.url, `nats://127.0.0.1:${options.port}`);
    await using second = await startNatsServer(options);
    notEqual(second.pid, first.pid);
    match(await first.exited, /exit code|signal/);
  }));

Deno.test("nats-server: a port in use is named, and a program that fails shows the end of its log", () =>
  inTempDir(async (folder) => {
    const { path: program } = await findNatsServer({ dataDir: folder, say: () => {} });
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const options = { folder: join(folder, "nats"), token: "t", program };
    await rejects(startNatsServer({ ...options, port: listener.addr.port }), /the port is in use/);
    await Deno.writeTextFile(join(folder, "nats", "jetstream"), "a file where the folder should be");
    await rejects(startNatsServer(options), (error) => {
      match(String(error), /nats-server ended while starting \(exit code 1\).*storage directory/s);
      return error instanceof EmbeddedStartError;
    });
  }));

Deno.test("PostgreSQL: killed and started again on its port, past a lock file that names a living process", () =>
  inTempDir(async (folder) => {
    const options = { folder: join(folder, "."), password, port: freePort() };
    const first = await startPostgres(options);
    equal(new URL(first.databaseUrl).port, String(options.port));
    Deno.kill(first.pid, "SIGKILL");
    await first.exited;
    const lock = join(folder, "cluster", "postmaster.pid");
    const lines = (await Deno.readTextFile(lock)).split("\n");
    await Deno.writeTextFile(lock, [String(Deno.pid), ...lines.slice(1)].join("\n"));
    const second = await startPostgres(options);
    // Not stopped, as if its program had been killed: ended by the next start.
    await using third = await startPostgres(options);
    match(await second.exited, /exit code 0/);
    const sql = postgres(third.databaseUrl, { max: 1 });
    equal((await sql`select 1 as one`)[0]!.one, 1);
    await sql.end();
  }));

Deno.test("PostgreSQL: another version's cluster and another folder's password are refused in clear words", () =>
  inTempDir(async (folder) => {
    await (await startPostgres({ folder, password })).stop();
    await rejects(
      startPostgres({ folder, password: "another" }),
      /does not take the password of secrets\.json/,
    );
    await Deno.writeTextFile(join(folder, "cluster", "PG_VERSION"), "15\n");
    await rejects(
      startPostgres({ folder, password }),
      /was made by PostgreSQL 15, and this program brings 18/,
    );
  }));
