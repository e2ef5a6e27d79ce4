/**
 * What a channel at Twilio has to be told.
 *
 * @module
 */
import { z } from "zod";

const secret = (title: string, description: string, example: string) =>
  z.string().min(1).max(200).regex(/^[\x21-\x7e]+$/).meta({
    title,
    description,
    examples: [example],
    secret: true,
  });

const sid = (prefix: string, title: string, description: string) =>
  z.string().regex(
    new RegExp(`^${prefix}[0-9a-fA-F]{32}$`),
    `${prefix} and 32 hexadecimal digits are expected`,
  )
    .meta({ title, description, examples: [`${prefix}00000000000000000000000000000001`] });

export const TwilioCredentialsSchema = z.object({
  accountSid: sid("AC", "Account SID", "On the first page of the Twilio console"),
  authToken: secret(
    "Auth token",
    "The account's primary token, below the SID; Twilio signs webhooks with it, so it is needed even where an API key sends",
    "0123456789abcdef0123456789abcdef",
  ),
  previousAuthToken: secret(
    "Previous auth token",
    "Accepted in signatures too while the token is being changed; remove it afterwards",
    "fedcba9876543210fedcba9876543210",
  ).optional(),
  apiKeySid: sid("SK", "API key SID", "Sends in place of the auth token if it is set").optional(),
  apiKeySecret: secret("API key secret", "Shown once, when the key is made", "examplesecret").optional(),
  messagingServiceSid: sid(
    "MG",
    "Messaging Service SID",
    "Sends through this service: its numbers, its compliance settings",
  ).optional(),
  serviceSender: z.enum(["number", "service"]).default("number").meta({
    title: "Sender within the service",
    description: "number: the conversation's own number, which must belong to the service. " +
      "service: Twilio chooses one of the service's numbers, so replies may come to another number",
    examples: ["number"],
  }),
  region: z.string().regex(/^[a-z]{2}\d{1,2}$/).optional().meta({
    title: "Region",
    description:
      "Where the account's data is kept, if not in the United States; the credentials are that region's",
    examples: ["ie1"],
  }),
  edge: z.string().regex(/^[a-z]+(?:-[a-z]+)*$/).max(40).optional().meta({
    title: "Edge location",
    description: "Where requests enter Twilio's network",
    examples: ["dublin"],
  }),
}).strict().refine((fields) => (fields.apiKeySid === undefined) === (fields.apiKeySecret === undefined), {
  message: "apiKeySid and apiKeySecret belong together",
  path: ["apiKeySecret"],
});
