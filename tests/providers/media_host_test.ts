import { deepEqual } from "node:assert/strict";
import { bandwidth } from "../../adapters/providers/bandwidth.ts";
import { infobip } from "../../adapters/providers/infobip.ts";
import { plivo } from "../../adapters/providers/plivo.ts";
import { twilio } from "../../adapters/providers/twilio.ts";
import { channelOf } from "./support.ts";

const CHANNELS = [
  [twilio, "twilio.com", { accountSid: `AC${"1".repeat(32)}`, authToken: "token" }],
  [bandwidth, "bandwidth.com", {
    accountId: "1",
    applicationId: "app",
    apiToken: "token",
    apiSecret: "secret",
  }],
  [plivo, "plivo.com", { authId: "MA", authToken: "token" }],
  [infobip, "infobip.com", { apiKey: "key" }],
] as const;

Deno.test("media credentials are for the provider's own hosts over https, and for the channel's base URL", () => {
  for (const [provider, domain, credentials] of CHANNELS) {
    const shown = (url: string, baseUrl?: string) => {
      const channel = channelOf(provider.kind, credentials, baseUrl === undefined ? {} : { baseUrl });
      return provider.mediaAuthorization!(new URL(url), channel) !== null;
    };
    const own = [`https://api.${domain}/x`, `https://${domain}/x`, `https://a.b.${domain}/x`];
    deepEqual(own.map((url) => shown(url)), [true, true, true]);
    const others = [
      `http://api.${domain}/x`,
      `https://api.${domain}:8443/x`,
      `https://evil${domain}/x`,
      `https://${domain}.evil.test/x`,
      `https://${domain}@evil.test/x`,
      `https://evil.test/${domain}`,
    ];
    deepEqual(others.filter((url) => shown(url)), []);
    const base = "http://gateway.lan:8081/some/path";
    deepEqual(
      ["http://gateway.lan:8081/media/1", "http://gateway.lan/media/1", "https://gateway.lan:8081/media/1"]
        .map((url) => shown(url, base)),
      [true, false, false],
    );
  }
});
