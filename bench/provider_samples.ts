/**
 * What the simulator's contacts send through each provider, as requests that its parser takes.
 *
 * @module
 */
import { PROVIDERS } from "../adapters/providers/registry.ts";
import { type Channel, ChannelSettingsSchema } from "../core/channel.ts";
import type { Provider, WebhookRequest } from "../core/ports/provider.ts";
import { BANDWIDTH_ACCOUNT } from "./simulator/bandwidth.ts";
import { inboundId, inboundRequest, webhookTarget } from "./simulator/contact.ts";
import { DINSTAR_DEFAULTS } from "./simulator/dinstar.ts";
import type { ProviderName } from "./simulator/faults.ts";
import { GATEWAY_KEYS } from "./simulator/gateway_json.ts";
import { newRunHex } from "./simulator/ids.ts";
import { INFOBIP_DEFAULT_ACCOUNT } from "./simulator/infobip.ts";
import { contactNumber } from "./simulator/numbers.ts";
import { PLIVO_ACCOUNT } from "./simulator/plivo.ts";
import { SINCH_ACCOUNT } from "./simulator/sinch.ts";
import { SMSMASIVO_LOGIN } from "./simulator/smsmasivo.ts";
import { TELESIGN_DEFAULT_ACCOUNT } from "./simulator/telesign.ts";
import { TELNYX_ACCOUNT } from "./simulator/telnyx.ts";
import { TWILIO_DEFAULT_ACCOUNT } from "./simulator/twilio_account.ts";
import { VOICEMEUP_DEFAULTS } from "./simulator/voicemeup.ts";
import { VONAGE_DEFAULT_ACCOUNT } from "./simulator/vonage_account.ts";

const URL_IN = "http://patchbay.test/webhooks/provider/secret-of-the-bench";
const OURS = "+14155550199";
const GATEWAY_URL = "http://gateway.test/send?to=${phone}&text=${message}";

/** What the channel needs to take the simulator's webhooks; providers that are missing here are polled. */
const CREDENTIALS: Readonly<Partial<Record<ProviderName, Readonly<Record<string, unknown>>>>> = {
  twilio: { accountSid: TWILIO_DEFAULT_ACCOUNT.sid, authToken: TWILIO_DEFAULT_ACCOUNT.authToken },
  voicemeup: { username: VOICEMEUP_DEFAULTS.username, authToken: VOICEMEUP_DEFAULTS.authToken },
  nexmo: {
    apiKey: VONAGE_DEFAULT_ACCOUNT.apiKey,
    apiSecret: VONAGE_DEFAULT_ACCOUNT.apiSecret,
    signatureSecret: VONAGE_DEFAULT_ACCOUNT.signatureSecret,
    signatureMethod: "md5hash",
  },
  vonage: {
    apiKey: VONAGE_DEFAULT_ACCOUNT.apiKey,
    apiSecret: VONAGE_DEFAULT_ACCOUNT.apiSecret,
    signatureSecret: VONAGE_DEFAULT_ACCOUNT.signatureSecret,
  },
  telesign: {
    customerId: TELESIGN_DEFAULT_ACCOUNT.customerId,
    apiKey: TELESIGN_DEFAULT_ACCOUNT.apiKey,
  },
  infobip: {
    apiKey: INFOBIP_DEFAULT_ACCOUNT.apiKey,
    webhookSecret: INFOBIP_DEFAULT_ACCOUNT.webhookSecret,
  },
  urlsms: { url: GATEWAY_URL },
  urlsmsauth: { url: GATEWAY_URL, user: "user", password: "password" },
  urlsmspost: { url: GATEWAY_URL },
  urlpostsmsauth: { url: GATEWAY_URL, user: "user", password: "password" },
  http: {
    url: "http://gateway.test/messages",
    body: '{"to":${phone},"text":${message}}',
    webhookHmacSecret: GATEWAY_KEYS.secret,
    webhookHmacPrefix: "sha256=",
    itemsPath: "events",
    fields: {
      from: ["message.from"],
      to: ["message.to"],
      text: ["message.content.text"],
      id: ["message.id"],
    },
  },
  quality: { endpoint: "http://gateway.test/send.php", user: "user", password: "password" },
  gmg: { endpoint: "http://gateway.test/send", user: "user", password: "password", login: "basic" },
  smsmasivo: { user: SMSMASIVO_LOGIN.user, password: SMSMASIVO_LOGIN.password, inboundNumber: OURS },
  bandwidth: BANDWIDTH_ACCOUNT,
  telnyx: { apiKey: TELNYX_ACCOUNT.apiKey, publicKey: TELNYX_ACCOUNT.publicKey },
  plivo: { authId: PLIVO_ACCOUNT.authId, authToken: PLIVO_ACCOUNT.authToken },
  sinch: SINCH_ACCOUNT,
  dinstarweb: {
    endpoint: "http://gateway.test",
    user: DINSTAR_DEFAULTS.user,
    password: DINSTAR_DEFAULTS.password,
    ports: "0",
    portNumbers: { "0": OURS },
    inbound: "push",
  },
};

export interface ProviderSample {
  readonly provider: Provider;
  readonly channel: Channel;
  readonly requests: readonly WebhookRequest[];
}

/** `count` different webhooks for each provider that calls us. */
export function providerSamples(count: number, nowMs: number): ProviderSample[] {
  return Object.entries(CREDENTIALS).map(([name, fields]) => {
    const provider = PROVIDERS.get(name);
    if (provider === undefined) throw new Error(`there is no provider ${name}`);
    const channel: Channel = {
      id: "ch_00000000000000000000000000",
      name,
      provider: name,
      enabled: true,
      isDefault: true,
      settings: ChannelSettingsSchema.parse(provider.defaults),
      credentials: provider.credentials.parse(fields),
    };
    const target = webhookTarget({ provider: name as ProviderName, url: URL_IN });
    const run = newRunHex();
    const requests = Array.from({ length: count }, (_, n) =>
      readRequest(
        inboundRequest(target, {
          id: inboundId(name as ProviderName, run, n + 1),
          from: contactNumber(n),
          to: OURS,
          text: `Message ${n}: where is my order?`,
        }),
        nowMs,
      ));
    return { provider, channel, requests };
  });
}

/** The request as the webhook handler hands it on. */
function readRequest(text: string, receivedMs: number): WebhookRequest {
  const end = text.indexOf("\r\n\r\n");
  const [start, ...lines] = text.slice(0, end).split("\r\n");
  const [method, path] = start!.split(" ");
  const url = new URL(path!, URL_IN);
  return {
    method: method as "GET" | "POST",
    url: `${url.origin}${path}`,
    path: "",
    query: url.searchParams,
    headers: new Headers(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    })),
    body: new TextEncoder().encode(text.slice(end + 4)),
    receivedMs,
  };
}
