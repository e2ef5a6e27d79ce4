import { equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import postgres from "postgres";
import { freePort, isPortFree } from "../../adapters/embedded/free_port.ts";
import { findNatsServer } from "../../adapters/embedded/nats_binary.ts";
import { ownTls, startNatsServer } from "../../adapters/embedded/nats_server.ts";
import { connectNats } from "../../adapters/nats/connection.ts";
import { startPostgres } from "../../adapters/embedded/postgres_server.ts";
import { EmbeddedStartError } from "../../adapters/embedded/start_error.ts";
import { inTempDir } from "../support/temp_dir.ts";

const password = "0123456789abcdef";

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

Deno.test("nats-server: streams of a server that knew no accounts are found in the account", () =>
  inTempDir(async (folder) => {
    const { path: program } = await findNatsServer({ dataDir: folder, say: () => {} });
    const options = { folder: join(folder, "nats"), token: "t", program };
    const connectTo = (url: string) => connect({ servers: url, user: "patchbay", pass: "t" });
    {
      await using server = await startNatsServer(options);
      const connection = await connectTo(server.url);
      await (await jetstreamManager(connection)).streams.add({ name: "KEPT", subjects: ["kept"] });
      await jetstream(connection).publish("kept", "text");
      await connection.close();
    }
    const accounts = join(folder, "nats", "jetstream", "jetstream");
    // As the server without accounts leaves them.
    await Deno.rename(join(accounts, "PATCHBAY"), join(accounts, "$G"));
    await using server = await startNatsServer(options);
    const connection = await connectTo(server.url);
    equal((await (await jetstreamManager(connection)).streams.info("KEPT")).state.messages, 1);
    await connection.close();
  }));

Deno.test("nats-server: speaks TLS where it has a certificate, on the address that it is told", () =>
  inTempDir(async (folder) => {
    const { path: program } = await findNatsServer({ dataDir: folder, say: () => {} });
    const tls = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
    const made = await new Deno.Command("openssl", {
      args: [
        ...[
          "req",
          "-x509",
          "-newkey",
          "ec",
          "-pkeyopt",
          "ec_paramgen_curve:prime256v1",
          "-nodes",
          "-days",
          "1",
        ],
        ...["-subj", "/CN=patchbay.example", "-keyout", tls.keyFile, "-out", tls.certFile],
      ],
      stderr: "null",
    }).output();
    ok(made.success);
    const options = { folder: join(folder, "nats"), token: "t", program, host: "0.0.0.0", tls };
    await using server = await startNatsServer(options);
    const connection = await connectNats({ url: server.url, token: "t", name: "test", ...ownTls(tls) });
    equal(connection.info?.tls_required, true);
    await connection.close();
    await server.setGuests([]);
    equal(server.url, `nats://127.0.0.1:${server.port}`);
  }));
