/**
 * A provider for tests of the configuration: it takes settings and does nothing.
 *
 * @module
 */
import { z } from "zod";
import type { Provider } from "../../core/ports/provider.ts";

const secret = z.string().min(4).meta({ secret: true });

export const fakeProvider: Provider = {
  kind: "fake",
  title: "Fake",
  credentials: z.object({
    accountSid: z.string().regex(/^AC/, "must begin with AC"),
    authToken: secret.describe("The token"),
    oldToken: secret.optional(),
  }).strict(),
  defaults: { rateMps: 5, maxTextLength: 1_000, retry: { maxTries: 3 } },
  supports: { mms: true, deliveryReports: true, signature: true, idempotency: false },
  description: {
    docsUrl: "https://docs.example.test",
    authentication: "nothing comes from it",
    facts: [],
    errors: [],
  },
  parseWebhook: () => ({ kind: "refused", why: "malformed", reason: "not in tests" }),
  buildSend: () => ({ method: "POST", url: "http://127.0.0.1/", headers: {} }),
  readSend: () => ({ kind: "accepted", providerId: null }),
  buildVerify: () => null,
  readVerify: () => ({ ok: true, reason: "fine" }),
};
