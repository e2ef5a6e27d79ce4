import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { OutgoingClient } from "../../adapters/http_client/outgoing_client.ts";
import { parseAllowList, PrivateAddressGuard } from "../../adapters/http_client/private_address_guard.ts";
import { providerCaller } from "../../adapters/http_client/provider_caller.ts";
import { answerChallenge } from "../../adapters/providers/http_digest.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import type { Provider } from "../../core/ports/provider.ts";
import { channelOf } from "../providers/support.ts";
import { fakeProvider } from "../support/fake_provider.ts";

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

/** A device that asks for Digest; each nonce may be used `usesMax` times, with its count going up. */
class Device {
  usesMax = Infinity;
  password = "s3cret";
  /** Closes the connection after a refusal, as some devices do. */
  closes = false;
  readonly seen: string[] = [];
  #nonce = "";
  #uses = 0;
  #made = 0;

  readonly listener: http.RequestListener = async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const header = request.headers.authorization ?? "";
    const field = (name: string) => new RegExp(`\\b${name}="?([^",]*)"?`).exec(header)?.[1] ?? "";
    const nc = parseInt(field("nc"), 16);
    const isFresh = field("nonce") === this.#nonce && nc === this.#uses + 1 && nc <= this.usesMax;
    const expected = md5(
      `${md5(`api:gw:${this.password}`)}:${field("nonce")}:${field("nc")}:${field("cnonce")}:auth:${
        md5(`${request.method}:${request.url}`)
      }`,
    );
    const isRight = field("response") === expected;
    this.seen.push(`${request.method} ${request.url} ${body} ${header === "" ? "-" : isRight && isFresh}`);
    if (isRight && isFresh) {
      this.#uses = nc;
      return void response.end("ok");
    }
    const stale = header !== "" && isRight ? ", stale=true" : "";
    this.#nonce = `n${++this.#made}`;
    this.#uses = 0;
    const challenge = `Digest realm="gw", qop="auth", nonce="${this.#nonce}"${stale}`;
    response.writeHead(401, {
      "www-authenticate": challenge,
      ...(this.closes && { connection: "close" }),
    }).end();
  };
}

const provider = (url: string, password = "s3cret"): Provider => ({
  ...fakeProvider,
  authenticate: (challenge, call, _channel, use) =>
    answerChallenge(challenge, call, { user: "api", password }, "auto", use),
  probe: () => ({ method: "GET", url: `${url}/probe`, headers: {} }),
});

async function withDevice(
  run: (device: Device, call: (body: string) => Promise<string>, url: string) => Promise<void>,
  password?: string,
) {
  const device = new Device();
  const server = http.createServer(device.listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  const client = new OutgoingClient({ guard: new PrivateAddressGuard(parseAllowList("127.0.0.1").list) });
  const providers = new Map([["fake", provider(url, password)]]);
  const caller = providerCaller(client, { providers, clock: systemClock });
  const channel = channelOf("fake", {});
  const call = async (body: string) => {
    const outcome = await caller(channel, { method: "POST", url: `${url}/send`, headers: {}, body });
    return outcome.kind === "answered" ? String(outcome.answer.status) : outcome.kind;
  };
  try {
    await run(device, call, url);
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

Deno.test("a body is sent once the challenge is known, and the nonce is used again with its count", () =>
  withDevice(async (device, call) => {
    deepStrictEqual([await call("a"), await call("b"), await call("c")], ["200", "200", "200"]);
    deepStrictEqual(device.seen, [
      "GET /probe  -",
      "POST /send a true",
      "POST /send b true",
      "POST /send c true",
    ]);
  }));

Deno.test("a nonce that is stale is replaced, and the call made once more", () =>
  withDevice(async (device, call) => {
    device.usesMax = 1;
    deepStrictEqual([await call("a"), await call("b")], ["200", "200"]);
    deepStrictEqual(device.seen.slice(1), ["POST /send a true", "POST /send b false", "POST /send b true"]);
  }));

Deno.test("a device that closes the connection after its challenge is connected to again", () =>
  withDevice(async (device, call) => {
    device.closes = true;
    device.usesMax = 1;
    deepStrictEqual([await call("a"), await call("b")], ["200", "200"]);
  }));

Deno.test("wrong credentials are tried once a call: devices lock out who tries often", () =>
  withDevice(async (device, call) => {
    strictEqual(await call("a"), "401");
    strictEqual(device.seen.filter((line) => !line.endsWith("-")).length, 1, device.seen.join("; "));
  }, "wrong"));

Deno.test("calls at the same time share one probe", () =>
  withDevice(async (device, call) => {
    const results = await Promise.all(["a", "b", "c"].map(call));
    ok(results.every((result) => result === "200" || result === "401"));
    strictEqual(device.seen.filter((line) => line.startsWith("GET")).length, 1);
  }));

Deno.test("a gateway that is away has not got the call", async () => {
  const client = new OutgoingClient({ guard: new PrivateAddressGuard(parseAllowList("127.0.0.1").list) });
  const url = "http://127.0.0.1:1";
  const caller = providerCaller(client, {
    providers: new Map([["fake", provider(url)]]),
    clock: systemClock,
  });
  const call = { method: "POST", url: `${url}/send`, headers: {}, body: "x" } as const;
  strictEqual((await caller(channelOf("fake", {}), call)).kind, "not-connected");
  client.close();
});
