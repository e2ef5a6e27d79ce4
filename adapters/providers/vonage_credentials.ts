/**
 * What a channel at Vonage's Messages API has to be told.
 *
 * @module
 */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { plainField, secretField } from "./credential_fields.ts";

/** Vonage repeats a webhook for a day, and nobody says whether with a new token: a day, and some for clocks. */
export const VONAGE_SIGNATURE_AGE_SECONDS = 90_000;

/** Pasted into a form, a key may have `\n` in place of its line breaks. */
export function readVonageKey(text: string): KeyObject | null {
  try {
    const key = createPrivateKey(text.replaceAll("\\n", "\n"));
    return key.asymmetricKeyType === "rsa" ? key : null;
  } catch {
    return null;
  }
}

export const VonageCredentialsSchema = z.object({
  apiKey: plainField("API key", "On the first page of the Vonage dashboard", "abcd1234"),
  signatureSecret: secretField(
    "Signature secret",
    "Dashboard, API settings: webhooks are checked with it",
    "example-signature-secret-32-bytes",
  ),
  previousSignatureSecret: secretField(
    "Previous signature secret",
    "Accepted too while the secret is being changed; remove it afterwards",
    "former-signature-secret-32-bytes",
  ).optional(),
  applicationId: z.uuid().optional().meta({
    title: "Application ID",
    description: "Dashboard, Applications: the application that the numbers are linked to",
    examples: ["aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"],
  }),
  privateKey: z.string().max(10_000).refine(
    (text) => readVonageKey(text) !== null,
    "is not an RSA private key in PEM",
  )
    .optional().meta({
      title: "Private key",
      description: "The file private.key that the dashboard made for the application, all of it",
      examples: ["-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n"],
      secret: true,
    }),
  apiSecret: secretField(
    "API secret",
    "Sends where there is no private key; then the account's webhooks count, not the application's",
    "ExampleSecret1",
  ).optional(),
  region: z.enum(["us", "eu", "ap"]).optional().meta({
    title: "Region",
    description: "Where messages are processed, if that has to be one place",
    examples: ["eu"],
  }),
  signatureMaxAgeSeconds: z.number().int().min(60).max(604_800).default(VONAGE_SIGNATURE_AGE_SECONDS).meta({
    title: "Longest age of a signature",
    description: "Seconds. Shorter than a day loses messages that Vonage repeats after a long outage",
    examples: [VONAGE_SIGNATURE_AGE_SECONDS],
  }),
}).strict()
  .refine((fields) => (fields.applicationId === undefined) === (fields.privateKey === undefined), {
    message: "applicationId and privateKey belong together",
    path: ["privateKey"],
  })
  .refine((fields) => fields.privateKey !== undefined || fields.apiSecret !== undefined, {
    message: "a private key with its application, or the API secret, is needed to send",
    path: ["privateKey"],
  });
