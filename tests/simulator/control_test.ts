import assert from "node:assert/strict";
import { runSimulate } from "../../bench/simulator/command.ts";
import type { CallRecord } from "../../bench/simulator/record.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { listen } from "./listener.ts";

async function post(url: string, body: unknown): Promise<[number, Record<string, unknown>]> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  return [response.status, await response.json()];
}

Deno.test("control: faults are changed field by field and shown", async () => {
  await using simulator = startSimulator();
  const url = `${simulator.url}/control/faults`;
  assert.equal((await post(url, { twilio: { delayMs: 5 } }))[0], 200);
  assert.equal((await post(url, { twilio: { undelivered: 0.5 }, all: { optedOut: ["+1"] } }))[0], 200);
  const shown = await (await fetch(url)).json();
  assert.deepEqual([shown.twilio.delayMs, shown.twilio.undelivered, shown.urlsms.optedOut], [5, 0.5, ["+1"]]);
});

Deno.test("control: what does not fit is refused by field", async () => {
  await using simulator = startSimulator();
  const url = `${simulator.url}/control/faults`;
  const [status, problem] = await post(url, { twilio: { undelivered: 2 } });
  assert.equal(status, 400);
  assert.deepEqual((problem.errors as { field: string }[]).map((error) => error.field), ["undelivered"]);
  assert.equal((await post(url, { twilio: { nonsense: 1 } }))[0], 400);
  assert.equal((await post(url, { nobody: {} }))[0], 400);
  const response = await fetch(url, { method: "POST", body: "{" });
  assert.equal(response.status, 400);
  await response.body?.cancel();
});

Deno.test("control: the record as JSON lines, in parts, and forgotten on reset", async () => {
  await using simulator = startSimulator();
  for (let i = 1; i <= 1_200; i++) {
    await (await fetch(`${simulator.url}/x.php?celular=59899123456&mensaje=á${i}&id=${i}`)).body?.cancel();
  }
  const read = async (query: string) => {
    const text = await (await fetch(`${simulator.url}/control/record${query}`)).text();
    return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as CallRecord);
  };
  assert.deepEqual(
    (await read("")).map((call) => call.sequence),
    Array.from({ length: 1_200 }, (_, i) => i + 1),
  );
  assert.deepEqual((await read("?since=100&limit=2")).map((call) => call.messageId), ["101", "102"]);
  await post(`${simulator.url}/control/reset`, {});
  assert.deepEqual(await read(""), []);
  const statistics = await (await fetch(`${simulator.url}/control/statistics`)).json();
  assert.equal(statistics.calls.urlsms, 0);
});

Deno.test("only the chosen providers answer", async () => {
  await using simulator = startSimulator({ providers: ["urlsms"] });
  const response = await fetch(
    `${simulator.url}/2010-04-01/Accounts/AC00000000000000000000000000000001.json`,
  );
  await response.body?.cancel();
  assert.equal(response.status, 404);
});

Deno.test("requests that are no requests are refused, and the line goes", async () => {
  await using simulator = startSimulator();
  const cases: [string, number][] = [
    ["POST /x.php HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n", 413],
    ["POST /x.php HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", 411],
    ["nonsense\r\n\r\n", 400],
    [`GET /${"x".repeat(20_000)} HTTP/1.1\r\n\r\n`, 431],
  ];
  for (const [text, status] of cases) {
    using conn = await Deno.connect({ port: simulator.port });
    await conn.write(new TextEncoder().encode(text));
    const answer = await new Response(conn.readable).text();
    assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), answer);
  }
});

Deno.test("requests that arrive in pieces or several at once are answered in order", async () => {
  await using simulator = startSimulator();
  using conn = await Deno.connect({ port: simulator.port });
  const one = (id: number) => `GET /x.php?celular=59899123456&mensaje=x&id=${id} HTTP/1.1\r\nhost: x\r\n\r\n`;
  const text = one(1) + one(2) + one(3);
  for (const piece of [text.slice(0, 20), text.slice(20, 150), text.slice(150)]) {
    await conn.write(new TextEncoder().encode(piece));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const buffer = new Uint8Array(4_096);
  let answer = "";
  while (!answer.includes("OK;3")) {
    answer += new TextDecoder().decode(buffer.subarray(0, (await conn.read(buffer))!));
  }
  assert.deepEqual(answer.match(/OK;\d/g), ["OK;1", "OK;2", "OK;3"]);
});

Deno.test("simulate: wrong options end it with one line each", async () => {
  const lines: string[] = [];
  const { error, log } = console;
  console.error = console.log = (line: string) => void lines.push(line);
  try {
    assert.equal(await runSimulate(["--port=x", "--providers=nobody"]), 2);
    assert.equal(lines.length, 2);
    assert.match(lines.join("\n"), /^port: [^]*providers/);
    assert.equal(await runSimulate(["--nonsense"]), 2);
    assert.equal(await runSimulate(["--faults={"]), 2);
    assert.equal(await runSimulate(["--port=0", '--faults={"twilio":{"undelivered":3}}']), 2);
    assert.equal(await runSimulate(["--help"]), 0);
    assert.match(lines.at(-1)!, /^Usage: simulate/);
  } finally {
    Object.assign(console, { error, log });
  }
});

Deno.test("simulate: runs, writes as contacts do, and ends on SIGTERM", async () => {
  await using listener = listen();
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "bench/simulator/command.ts",
      "--port=0",
      `--target=${listener.url}/hook`,
      "--rate=100",
    ],
    stdout: "piped",
  });
  const child = command.spawn();
  await listener.until(5);
  child.kill("SIGTERM");
  const { code, stdout } = await child.output();
  assert.equal(code, 0);
  assert.match(
    new TextDecoder().decode(stdout),
    /^The carrier simulator listens on http:\/\/127\.0\.0\.1:\d+ as /,
  );
  assert.ok(listener.requests.every((request) => request.header("x-twilio-signature") !== undefined));
});

Deno.test("a message can be put into the gateway's inbox, to be fetched", async () => {
  await using simulator = startSimulator();
  const put = async (body: unknown) => {
    const response = await fetch(`${simulator.url}/control/inbox`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return [response.status, await response.json()];
  };
  const message = { from: "+12025550123", to: "+14155550199", text: "Hi" };
  assert.deepEqual(await put(message), [200, { id: 1 }]);
  assert.deepEqual(await put(message), [200, { id: 2 }]);
  assert.equal((await put({ text: "Hi" }))[0], 400);
});
