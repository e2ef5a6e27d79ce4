/**
 * The ceiling of `ingest`: the program's own webhook handler behind the same HTTP server and router, with a log that
 * takes every entry at once. What it is faster by is the price of durability.
 *
 * `deno run no_log_program.ts PORT SECRET NUMBER,…`
 *
 * @module
 */
import { createHash } from "node:crypto";
import { OpenAPIHono } from "@hono/zod-openapi";
import { createMetrics } from "../adapters/server/metrics.ts";
import { serveHttp } from "../adapters/server/http.ts";
import { PROVIDERS } from "../adapters/providers/registry.ts";
import { createWebhookHandler } from "../adapters/webhooks/handler.ts";
import { ChannelSettingsSchema } from "../core/channel.ts";
import { type Directory, EMPTY_DIRECTORY } from "../core/directory.ts";
import type { Ingress } from "../core/ports/ingress.ts";
import { TWILIO_DEFAULT_ACCOUNT } from "./simulator/twilio_account.ts";

const CHANNEL_ID = "ch_00000000000000000000000001";

/** A directory with one Twilio channel, its secret and its numbers. */
function directoryOf(secret: string, numbers: readonly string[]): Directory {
  const owned = numbers.map((number, index) => ({
    id: `num_${String(index).padStart(26, "0")}`,
    channelId: CHANNEL_ID,
    number,
    type: "mobile" as const,
    label: null,
    verified: true,
    direction: "both" as const,
    purpose: "chat" as const,
    rateMps: null,
    burst: null,
    destination: null,
    allowedExtensions: [],
    allowedQueues: [],
    optOut: null,
  }));
  const channel = {
    id: CHANNEL_ID,
    name: "Bench",
    provider: "twilio",
    enabled: true,
    isDefault: false,
    settings: ChannelSettingsSchema.parse({}),
    credentials: { accountSid: TWILIO_DEFAULT_ACCOUNT.sid, authToken: TWILIO_DEFAULT_ACCOUNT.authToken },
  };
  return {
    ...EMPTY_DIRECTORY,
    version: 1,
    channels: new Map([[CHANNEL_ID, channel]]),
    numbers: new Map(owned.map((number) => [number.id, number])),
    numbersByAddress: new Map(owned.map((number) => [number.number, number])),
    webhooks: new Map([
      [createHash("sha256").update(secret).digest("hex"), { channelId: CHANNEL_ID, expiresMs: null }],
    ]),
  };
}

const ingress: Ingress = {
  refusal: () => null,
  append: () => Promise.resolve(),
  appendReport: () => Promise.resolve(),
  execute: () => Promise.reject(new Error("there is nobody to carry a command out")),
};

if (import.meta.main) {
  const [port = "", secret = "", numbers = ""] = Deno.args;
  const directory = directoryOf(secret, numbers.split(","));
  const publicUrl = `http://127.0.0.1:${port}`;
  const metrics = createMetrics({
    ingressPending: () => 0,
    eventsPending: () => 0,
    mediaUnderWay: () => 0,
    logWaiting: () => ({}),
    partitionsOwned: () => ({}),
    oldestDueAgeMs: () => 0,
    channels: () => [],
    platformEndpoints: () => [],
    queues: () => [],
  });
  const webhooks = createWebhookHandler({
    directory: { current: () => directory, onChange: () => () => {} },
    providers: PROVIDERS,
    ingress,
    publicUrl,
    now: Date.now,
    onOutcome: (provider, outcome, durationMs) => {
      metrics.webhooks.inc({ provider, outcome });
      metrics.webhookSeconds.observe({ provider }, durationMs / 1000);
    },
    quarantine: () => {},
  });
  const app = new OpenAPIHono();
  app.all("/webhooks/*", (c) => webhooks(c.req.raw));
  app.get("/readyz", (c) => c.text("ready"));
  const server = serveHttp({ host: "127.0.0.1", port: Number(port) }, app.fetch);
  Deno.addSignalListener("SIGINT", async () => {
    await server.stop();
    Deno.exit(0);
  });
}
