import { generateKeyPairSync } from "node:crypto";
import { VONAGE_DEFAULT_ACCOUNT } from "../../bench/simulator/vonage_account.ts";
import { conforms } from "./harness.ts";

const pair = () =>
  generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
const [own, other] = [pair(), pair()];
const { apiKey, apiSecret, applicationId, signatureSecret } = VONAGE_DEFAULT_ACCOUNT;

conforms({
  kind: "vonage",
  label: "by an application's key",
  simulator: { vonage: { publicKey: own.publicKey } },
  credentials: (_url, good) => ({
    apiKey,
    signatureSecret,
    applicationId,
    privateKey: (good ? own : other).privateKey,
  }),
  media: { inbound: 3, outbound: 3 },
});

conforms({
  kind: "vonage",
  label: "by key and secret",
  credentials: (_url, good) => ({ apiKey, signatureSecret, apiSecret: good ? apiSecret : "WrongSecret1" }),
  media: { inbound: 1, outbound: 1 },
});
