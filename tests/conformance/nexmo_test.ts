import { VONAGE_DEFAULT_ACCOUNT } from "../../bench/simulator/vonage_account.ts";
import { conforms } from "./harness.ts";

const credentials = (method: string) => (_url: string, good: boolean) => ({
  apiKey: VONAGE_DEFAULT_ACCOUNT.apiKey,
  apiSecret: good ? VONAGE_DEFAULT_ACCOUNT.apiSecret : "WrongSecret1",
  signatureSecret: VONAGE_DEFAULT_ACCOUNT.signatureSecret,
  signatureMethod: method,
});

conforms({
  kind: "nexmo",
  credentials: credentials("md5hash"),
  webhooks: [{ method: "POST" }, { method: "GET" }, { format: "json" }],
});

conforms({
  kind: "nexmo",
  label: "with HMAC-SHA256",
  simulator: { vonage: { signatureMethod: "sha256" } },
  credentials: credentials("sha256"),
  webhooks: [{ format: "form sha256" }, { method: "GET", format: "form sha256" }, { format: "json sha256" }],
});

conforms({
  kind: "nexmo",
  label: "with a text in several parts",
  credentials: credentials("md5hash"),
  text: "A long text comes and goes in parts, each with its own id and webhook. ".repeat(6).trim(),
});
