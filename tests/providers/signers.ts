/**
 * Makes any request one that the provider signed, so that tests reach what stands behind the check.
 *
 * @module
 */
import twilioSdk from "twilio";
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
};

/** The same request, signed; as it was for a provider that signs nothing. */
export function resign(provider: Provider, request: WebhookRequest, channel: Channel): WebhookRequest {
  const signer = SIGNERS[provider.kind];
  if (signer === undefined && provider.supports.signature) {
    throw new Error(`${provider.kind} signs its webhooks: add it to signers.ts`);
  }
  return signer?.(request, channel) ?? request;
}
