import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { OutgoingClient, type OutgoingClientOptions } from "../../adapters/http_client/outgoing_client.ts";
import { parseAllowList, PrivateAddressGuard } from "../../adapters/http_client/private_address_guard.ts";
import { freePort } from "../../adapters/embedded/free_port.ts";
import { providerCaller } from "../../adapters/http_client/provider_caller.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import type { HttpCall } from "../../core/ports/provider.ts";
import { channelOf } from "../providers/support.ts";

const guard = new PrivateAddressGuard(parseAllowList("127.0.0.1").list);

/** Runs a server on a free loopback port, and a client beside it; closes both. */
async function withServer(
  listener: http.RequestListener,
  run: (
    at: { url: string; server: http.Server; client: OutgoingClient; post: (path: string) => HttpCall },
  ) => Promise<void>,
  options: Partial<OutgoingClientOptions> = {},
) {
  const server = http.createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  const client = new OutgoingClient({ guard, ...options });
  const post = (path: string): HttpCall => ({ method: "POST", url: url + path, headers: {}, body: "hello" });
  try {
    await run({ url, server, client, post });
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

async function bodyOf(request: http.IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}

/** A listener that answers by path, and counts the requests that came in whole. */
function routes() {
  const seen: string[] = [];
  const listener: http.RequestListener = async (request, response) => {
    const body = await bodyOf(request);
    seen.push(`${request.method} ${request.url} ${body}`);
    switch (request.url) {
      case "/reset":
        return void request.socket.destroy();
      case "/silent":
        return;
      case "/half":
        response.writeHead(200, { "content-length": "100" });
        response.write("half");
        return void setTimeout(() => request.socket.destroy(), 20);
      case "/redirect":
        return void response.writeHead(302, { location: "/elsewhere" }).end();
      case "/long":
        return void response.end("x".repeat(300_000));
      case "/unsaid":
        return void response.end(new Uint8Array([0x6d, 0xe1, 0x73]));
      case "/latin1":
        response.setHeader("content-type", "text/plain; charset=ISO-8859-1");
        return void response.end(new Uint8Array([0x6d, 0xe1, 0x73]));
      default:
        response.setHeader("x-echo", request.headers["x-in"] ?? "");
        return void response.end(`got ${body} maña`);
    }
  };
  return { seen, listener };
}

Deno.test("OutgoingClient brings back status, headers and body", async () => {
  const { seen, listener } = routes();
  await withServer(listener, async ({ url, client, post }) => {
    const result = await client.call({ ...post("/a?b=%2B1"), headers: { "X-In": "1" } }, {
      timeoutMs: 2_000,
    });
    ok(result.kind === "answer");
    deepStrictEqual([result.answer.status, result.answer.body, result.answer.headers["x-echo"]], [
      200,
      "got hello maña",
      "1",
    ]);
    const got = await client.call({ method: "GET", url: `${url}/latin1`, headers: {} }, { timeoutMs: 2_000 });
    ok(got.kind === "answer" && got.answer.body === "más");
    for (const [path, body] of [["/unsaid", "más"], ["/latin1", "más"]] as const) {
      const call = { method: "GET", url: url + path, headers: {}, answerCharset: "latin-1" } as const;
      const found = await client.call(call, { timeoutMs: 2_000 });
      ok(found.kind === "answer" && found.answer.body === body, path);
    }
    deepStrictEqual(seen, ["POST /a?b=%2B1 hello", "GET /latin1 ", "GET /unsaid ", "GET /latin1 "]);
  });
});

Deno.test("OutgoingClient does not follow redirects and cuts long answers", async () => {
  const { seen, listener } = routes();
  await withServer(listener, async ({ client, post }) => {
    const redirect = await client.call(post("/redirect"), { timeoutMs: 2_000 });
    ok(redirect.kind === "answer" && redirect.answer.status === 302);
    const long = await client.call(post("/long"), { timeoutMs: 2_000 });
    ok(long.kind === "answer");
    strictEqual(long.answer.body.length, 65_536);
    const short = await client.call(post("/long"), { timeoutMs: 2_000, maxBodyBytes: 10 });
    ok(short.kind === "answer" && short.answer.body.length === 10);
    strictEqual(seen.length, 3);
  });
});

Deno.test("OutgoingClient keeps connections open, and no more of them than it may", async () => {
  const sockets = new Set<unknown>();
  let most = 0;
  let now = 0;
  await withServer(async (request, response) => {
    sockets.add(request.socket);
    most = Math.max(most, ++now);
    await bodyOf(request);
    await new Promise((resolve) => setTimeout(resolve, 5));
    now--;
    response.end();
  }, async ({ client, post }) => {
    const results = await Promise.all(
      Array.from({ length: 40 }, () => client.call(post("/"), { timeoutMs: 5_000 })),
    );
    ok(results.every((result) => result.kind === "answer"));
    for (let i = 0; i < 20; i++) await client.call(post("/"), { timeoutMs: 5_000 });
    ok(most <= 4, `${most} at once`);
    ok(sockets.size <= 8, `${sockets.size} connections`);
  }, { socketsPerHostMax: 4 });
});

Deno.test("OutgoingClient sends a request once when a connection that was used before breaks", async () => {
  const { seen, listener } = routes();
  await withServer(listener, async ({ client, post }) => {
    for (const path of ["/reset", "/silent", "/half"]) {
      await client.call(post("/"), { timeoutMs: 2_000 });
      await new Promise((resolve) => setTimeout(resolve, 30));
      seen.length = 0;
      const result = await client.call(post(path), { timeoutMs: 200 });
      ok(result.kind === "broken" || result.kind === "timeout", `${path}: ${result.kind}`);
      strictEqual(result.written, true, path);
      strictEqual(result.kind, path === "/silent" ? "timeout" : "broken", path);
      await new Promise((resolve) => setTimeout(resolve, 250));
      deepStrictEqual(seen, [`POST ${path} hello`]);
    }
  });
});

Deno.test("OutgoingClient opens a new connection after the server closed the idle one", async () => {
  const { seen, listener } = routes();
  await withServer(listener, async ({ client, post, server }) => {
    for (let i = 0; i < 3; i++) {
      const result = await client.call(post("/"), { timeoutMs: 2_000 });
      strictEqual(result.kind, "answer");
      await new Promise((resolve) => setTimeout(resolve, 20));
      server.closeIdleConnections();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    strictEqual(seen.length, 3);
  });
});

Deno.test("OutgoingClient closes connections that stay idle", async () => {
  const { listener } = routes();
  await withServer(listener, async ({ client, post, server }) => {
    const open = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await client.call(post("/"), { timeoutMs: 2_000 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    strictEqual(await open(), 1);
    await new Promise((resolve) => setTimeout(resolve, 400));
    strictEqual(await open(), 0);
  }, { idleMs: 150 });
});

Deno.test("OutgoingClient says that nothing was written where there was no connection", async () => {
  const client = new OutgoingClient({ guard });
  // A port that was free a moment ago.
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  await once(probe, "close");
  const cases: readonly [url: string, refused: boolean, reason: RegExp][] = [
    [`http://127.0.0.1:${port}/`, false, /refused/i],
    ["http://no-such-host.invalid/", false, /no-such-host|not found|ENOTFOUND|EAI/i],
    ["http://127.0.0.2/", true, /PATCHBAY_ALLOW_PRIVATE/],
    ["http://2130706434/", true, /PATCHBAY_ALLOW_PRIVATE/],
    ["http://[::1]/", true, /PATCHBAY_ALLOW_PRIVATE/],
    ["http://[::ffff:127.0.0.1]/", true, /PATCHBAY_ALLOW_PRIVATE/],
    ["http://169.254.169.254/latest/meta-data", true, /PATCHBAY_ALLOW_PRIVATE/],
    ["ftp://127.0.0.1/", true, /http/],
    ["not an address", true, /URL/i],
  ];
  for (const [url, refused, reason] of cases) {
    const result = await client.call({ method: "GET", url, headers: {} }, { timeoutMs: 2_000 });
    ok(result.kind === "no-connection", `${url}: ${result.kind}`);
    strictEqual(result.refused, refused, url);
    match(result.reason, reason);
  }
  const strict = new OutgoingClient({ guard: new PrivateAddressGuard(parseAllowList("").list) });
  const named = await strict.call({ method: "GET", url: "http://localhost:1/", headers: {} }, {
    timeoutMs: 2_000,
  });
  ok(named.kind === "no-connection" && named.refused, JSON.stringify(named));
  const header = await client.call({ method: "GET", url: "http://127.0.0.1/", headers: { a: "b\r\nc: d" } }, {
    timeoutMs: 500,
  });
  ok(header.kind === "no-connection" && header.refused);
  client.close();
  strict.close();
});

Deno.test("OutgoingClient writes nothing before a secure connection stands", async () => {
  let bytes = 0;
  // Speaks no TLS: the handshake fails.
  const server = net.createServer((socket) => {
    socket.on("data", (chunk) => {
      bytes += chunk.toString("latin1").includes("secret") ? 1 : 0;
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new OutgoingClient({ guard });
  const url = `https://127.0.0.1:${(server.address() as net.AddressInfo).port}/`;
  const result = await client.call({ method: "POST", url, headers: {}, body: "secret" }, {
    timeoutMs: 2_000,
  });
  strictEqual(result.kind, "no-connection", JSON.stringify(result));
  strictEqual(bytes, 0);
  client.close();
  server.close();
  await once(server, "close");
});

Deno.test("OutgoingClient gives up when told to, and when waiting for a connection takes too long", async () => {
  const { seen, listener } = routes();
  await withServer(listener, async ({ client, post }) => {
    const abort = new AbortController();
    const running = client.call(post("/silent"), { timeoutMs: 5_000, signal: abort.signal });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const waiting = await client.call(post("/waits"), { timeoutMs: 50 });
    deepStrictEqual(waiting, { kind: "timeout", written: false, reason: "no answer within 50 ms" });
    abort.abort();
    const result = await running;
    ok(result.kind === "broken" && result.written);
    const late = await client.call(post("/"), { timeoutMs: 50, signal: abort.signal });
    strictEqual(late.kind, "no-connection");
    await new Promise((resolve) => setTimeout(resolve, 50));
    deepStrictEqual(seen, ["POST /silent hello"]);
  }, { socketsPerHostMax: 1 });
});

Deno.test("providerCaller tells calls that the provider may have from those it cannot have", async () => {
  const { listener } = routes();
  await withServer(listener, async ({ client, post }) => {
    const call = providerCaller(client, { providers: new Map(), clock: systemClock });
    const channel = channelOf("urlsms", {}, { timeoutMs: 150 });
    const outcomes = [];
    for (const path of ["/", "/silent", "/reset"]) {
      const outcome = await call(channel, post(path));
      outcomes.push(outcome.kind === "lost" ? `lost ${outcome.cause}` : outcome.kind);
    }
    // A private address, and one of this machine that is allowed and where nobody listens.
    const nowhere = `http://127.0.0.1:${freePort()}/`;
    for (const url of ["http://127.0.0.3/", nowhere]) {
      outcomes.push((await call(channel, { ...post("/"), url })).kind);
    }
    deepStrictEqual(outcomes, ["answered", "lost timeout", "lost broken", "refused", "not-connected"]);
  });
});
