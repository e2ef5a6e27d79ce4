import { equal, match, ok } from "node:assert/strict";
import { startSimulator } from "../../bench/simulator/server.ts";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { configure } from "../support/configured.ts";
import { EventClient } from "../support/event_client.ts";
import { prepareOutsideParts } from "../support/outside_parts.ts";
import { Run, System } from "../support/system.ts";
import { pause, until } from "../support/until.ts";

Deno.test("start: a second run in a used folder, or on a used port, is refused in clear words and disturbs nothing", async () => {
  await using system = await System.start();
  match(system.run.said, /Patchbay \S+ is ready at http:\/\/127\.0\.0\.1:\d+ \(\d+ ms/);
  const children = system.children().join();

  const second = new Run({ port: 0, dataDir: system.dataDir });
  equal((await second.ended).code, 1);
  match(second.said, /^Patchbay cannot start: The data folder .* is in use by another run \(process \d+/m);

  await using other = await System.prepare();
  const third = new Run({ port: system.port, dataDir: other.dataDir });
  equal((await third.ended).code, 1);
  match(third.said, new RegExp(`^Patchbay cannot start: port ${system.port} .*is in use`, "m"));
  equal(other.children().length, 0, "the refused run leaves no process");

  equal((await system.api.call("GET", "/v1/providers")).status, 200);
  equal(system.children().join(), children);
});

Deno.test("start: wrong options and variables are told with one line each, and the exit code is 2", async () => {
  await using system = await System.prepare({
    args: ["--rule=all", "--partitions=many"],
    env: { PATCHBAY_LOG: "loud", DATABASE_URL: "mysql://here" },
  });
  const run = system.launch();
  equal((await run.ended).code, 2);
  const lines = run.said.trim().split("\n");
  equal(lines.length, 4, run.said);
  match(run.said, /^--rule: there is no such option; did you mean --role\?$/m);
  match(run.said, /^--partitions: must be a whole number from 1 to 1024$/m);
  match(run.said, /^PATCHBAY_LOG: must be one of debug, info, warn, error$/m);
  match(run.said, /^DATABASE_URL: must be a URL like postgres:/m);
});

Deno.test("start: Ctrl-C stops in order with nothing left, and the next run has the same data and keys", async () => {
  await using simulator = startSimulator();
  await using system = await System.start();
  const { channel, numbers } = await configure(system.api, simulator);
  const { status } = await writeAsContact({
    ...channel.webhook,
    from: "+12025550001",
    to: numbers.queue,
    text: "before the stop",
  });
  equal(status, 200);
  const stopped = await system.stop();
  equal(stopped.code, 0, system.run.said);
  match(system.run.said, /Stopping …\nStopped\.$/);
  equal(system.children().length, 0);

  await system.start();
  ok(!system.run.said.includes("shown this once"), "a key was made though one was given");
  const texts = (await system.api.list("/v1/messages")).map(({ text }) => text);
  equal(texts.join(), "before the stop");
  const again = await writeAsContact({
    ...channel.webhook,
    from: "+12025550001",
    to: numbers.queue,
    text: "after the stop",
  });
  equal(again.status, 200);
  await until("both are there", async () => (await system.api.list("/v1/messages")).length === 2);
});

Deno.test("start: an open event stream is ended in order and does not hold up the stop", async () => {
  await using system = await System.start();
  await using client = new EventClient(system.api);
  await client.connect();
  const began = performance.now();
  equal((await system.stop()).code, 0);
  ok(performance.now() - began < 4_000, `took ${performance.now() - began} ms`);
  await until("the stream has ended", () => !client.connected);
});

Deno.test("start: Ctrl-C twice stops at once", async () => {
  await using system = await System.start();
  // A request whose body never comes keeps the stop in order waiting.
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: system.port });
  await connection.write(new TextEncoder().encode(
    `POST /v1/queues HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${system.api.key}\r\n` +
      "content-type: application/json\r\ncontent-length: 100\r\n\r\n",
  ));
  await pause(200);
  system.run.signal("SIGINT");
  await system.run.says(/Stopping …/);
  system.run.signal("SIGINT");
  const began = performance.now();
  equal((await system.run.ended).code, 130, system.run.said);
  ok(performance.now() - began < 2_000, `took ${performance.now() - began} ms`);
  match(system.run.said, /Stopped at once\./);
  connection.close();
  await until("nothing is left", () => system.children().length === 0, 5_000);
});

Deno.test("start: a broker and a database that are down are waited for with a message, and nothing embedded runs", async () => {
  await using outside = await prepareOutsideParts();
  // The database itself is made by its first start: one that is not there is a fault that no waiting cures.
  await outside.database.start();
  await outside.database.stop();
  await using system = await System.prepare({ env: outside.env });
  const run = system.launch();
  await run.says(/waiting for the broker: /);
  await run.says(/waiting for the database: /);
  await outside.broker.start();
  ok(!/is ready at/.test(run.said));
  await outside.database.start();
  await run.ready();
  equal(system.children().length, 0);
  const { body } = await system.api.call("GET", "/readyz");
  equal(body.ready ?? body.status, true, JSON.stringify(body));
  equal((await system.stop()).code, 0);
});

Deno.test("start: Ctrl-C while parts are waited for ends the program", async () => {
  await using outside = await prepareOutsideParts();
  await using system = await System.prepare({ env: outside.env });
  const run = system.launch();
  await run.says(/waiting for the broker: /);
  const { code } = await system.stop();
  equal(code, 130);
});
