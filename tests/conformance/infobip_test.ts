import { INFOBIP_DEFAULT_ACCOUNT } from "../../bench/simulator/infobip.ts";
import { conforms } from "./harness.ts";

const { apiKey, webhookSecret } = INFOBIP_DEFAULT_ACCOUNT;

conforms({
  kind: "infobip",
  credentials: (_url, good) => ({ apiKey: good ? apiKey : "wrong", webhookSecret }),
  media: { inbound: 3, outbound: 3 },
});

conforms({
  kind: "infobip",
  label: "version 2, with HTTP Basic",
  simulator: { infobip: { webhookSecret: "", webhookUser: "patchbay", webhookPassword: "s3cret" } },
  credentials: (_url, good) => ({
    apiKey: good ? apiKey : "wrong",
    version: "v2",
    webhookUser: "patchbay",
    webhookPassword: "s3cret",
  }),
  webhooks: [{ format: "basic", accountSid: "patchbay", authToken: "s3cret" }],
  media: { inbound: 1, outbound: 1 },
});
