/**
 * Makes any request one that the provider signed, so that tests reach what stands behind the check.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, createPrivateKey, sign } from "node:crypto";
import twilioSdk from "twilio";
import { readFields } from "../../adapters/providers/fields.ts";
import { nexmoSignedText } from "../../adapters/providers/nexmo_signature.ts";
import type { Channel } from "../../core/channel.ts";
import type { Provider, WebhookRequest } from "../../core/ports/provider.ts";

type Signer = (request: WebhookRequest, channel: Channel) => WebhookRequest;

const text = (request: WebhookRequest) => new TextDecoder().decode(request.body);
const isJson = (request: WebhookRequest) => /json/i.test(request.headers.get("content-type") ?? "");

function secret(channel: Channel, name: string): string {
  return String(channel.credentials[name]);
}

function withHeader(request: WebhookRequest, name: string, value: string): WebhookRequest {
  const headers = new Headers(request.headers);
  headers.set(name, value);
  return { ...request, headers };
}

/** What belongs to the public key in the example of Telnyx' settings. */
const TELNYX_SEED = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const telnyxKey = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${TELNYX_SEED}`, "hex"),
  format: "der",
  type: "pkcs8",
});

const SIGNERS: Readonly<Record<string, Signer>> = {
  twilio(request, channel) {
    const token = secret(channel, "authToken");
    const signed = (url: string, params: Record<string, string | string[]>) =>
      withHeader(
        { ...request, url },
        "x-twilio-signature",
        twilioSdk.getExpectedTwilioSignature(token, url, params),
      );
    if (request.method === "GET") return signed(request.url, {});
    if (isJson(request)) {
      const hash = twilioSdk.getExpectedBodyHash(text(request));
      return signed(`${request.url}${request.url.includes("?") ? "&" : "?"}bodySHA256=${hash}`, {});
    }
    const params: Record<string, string[]> = Object.create(null);
    for (const [name, value] of new URLSearchParams(text(request))) (params[name] ??= []).push(value);
    return signed(request.url, params);
  },
  telnyx(request) {
    const seconds = String(Math.floor(request.receivedMs / 1_000));
    const signature = sign(null, Buffer.concat([Buffer.from(`${seconds}|`), request.body]), telnyxKey);
    const signed = withHeader(request, "telnyx-signature-ed25519", signature.toString("base64"));
    return withHeader(signed, "telnyx-timestamp", seconds);
  },
  plivo(request, channel) {
    const address = request.url.replace(/[?#].*$/s, "");
    const signature = createHmac("sha256", secret(channel, "authToken")).update(`${address}1`).digest(
      "base64",
    );
    const signed = withHeader(request, "x-plivo-signature-v2", signature);
    return withHeader(signed, "x-plivo-signature-v2-nonce", "1");
  },
  sinch(request, channel) {
    const signature = createHmac("sha256", secret(channel, "webhookSecret")).update(request.body).update(
      ".1.2",
    )
      .digest("base64");
    const headers = new Headers(request.headers);
    headers.set("x-sinch-webhook-signature", signature);
    headers.set("x-sinch-webhook-signature-nonce", "1");
    headers.set("x-sinch-webhook-signature-timestamp", "2");
    return { ...request, headers };
  },
  nexmo(request, channel) {
    const method = secret(channel, "signatureMethod");
    const fields = readFields(request);
    if (fields === null || fields.get("sig") !== undefined) return request;
    const add = (name: string, value: string): WebhookRequest => {
      const pair = `${name}=${encodeURIComponent(value)}`;
      if (request.method === "GET") {
        return { ...request, url: `${request.url}${request.url.includes("?") ? "&" : "?"}${pair}` };
      }
      const body = isJson(request)
        ? JSON.stringify({ ...JSON.parse(text(request)), [name]: value })
        : `${text(request)}&${pair}`;
      return { ...request, body: new TextEncoder().encode(body) };
    };
    const timed = fields.get("timestamp") === undefined
      ? add("timestamp", String(request.receivedMs / 1_000))
      : request;
    request = timed;
    const base = nexmoSignedText(readFields(timed)!) + secret(channel, "signatureSecret");
    return method === "md5hash" ? add("sig", createHash("md5").update(base).digest("hex")) : request;
  },
  vonage(request, channel) {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = {
      iat: Math.floor(request.receivedMs / 1_000),
      payload_hash: createHash("sha256").update(request.body).digest("hex"),
    };
    const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
    const signature = createHmac("sha256", secret(channel, "signatureSecret")).update(signed).digest(
      "base64url",
    );
    return withHeader(request, "authorization", `Bearer ${signed}.${signature}`);
  },
  telesign(request, channel) {
    const key = Buffer.from(secret(channel, "apiKey"), "base64");
    const signature = createHmac("sha256", key).update(request.body).digest("base64");
    return withHeader(request, "authorization", `TSA ${secret(channel, "customerId")}:${signature}`);
  },
  infobip(request, channel) {
    const signature = createHmac("sha256", secret(channel, "webhookSecret")).update(request.body).digest(
      "hex",
    );
    return withHeader(request, "x-hub-signature", signature);
  },
};

/** The same request, signed; as it was for a provider that signs nothing. */
export function resign(provider: Provider, request: WebhookRequest, channel: Channel): WebhookRequest {
  const signer = SIGNERS[provider.kind];
  if (signer === undefined && provider.supports.signature) {
    throw new Error(`${provider.kind} signs its webhooks: add it to signers.ts`);
  }
  return signer?.(request, channel) ?? request;
}
