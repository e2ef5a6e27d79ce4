/**
 * Everything that can be set for a gateway that is called over HTTP. The kind `http` shows all of it; the older
 * kinds and the presets show a part and fill in the rest.
 *
 * @module
 */
import { z } from "zod";
import { FINAL_CLASSES, RETRYABLE_CLASSES } from "../../../core/errors.ts";
import { isKnownCountry, parseAddress } from "../../../core/phone_number.ts";
import { cidrFault } from "./cidr.ts";
import {
  bodyTemplate,
  fieldNames,
  headerName,
  headerTemplate,
  line,
  parameterName,
  path,
  pattern,
  statuses,
  textTemplate,
  urlTemplate,
} from "./setting_parts.ts";
import { CHARSETS, MESSAGE_FORMS } from "./text_encoding.ts";

export const REPORT_WORDS = [
  "queued",
  "sent",
  "delivered",
  "failed",
  "undelivered",
  "rejected",
  "expired",
] as const;

export const errorClass = z.enum([...RETRYABLE_CLASSES, ...FINAL_CLASSES]);

/** Titles and help for the form that is drawn from the schema. */
function told<S extends z.ZodType>(schema: S, title: string, description: string, ...examples: unknown[]): S {
  return schema.meta({ title, description, ...(examples.length > 0 && { examples }) });
}

function secret<S extends z.ZodType>(schema: S, title: string, description: string, example: string): S {
  return schema.meta({ title, description, examples: [example], secret: true });
}

export const accountShape = {
  user: told(line.optional(), "User", "For HTTP Basic and the variable user", "acme"),
  password: secret(line.optional(), "Password or key", "For the login and the variable password", "s3cret"),
  from: told(line.optional(), "Sender", "Replaces our number in the variable from", "ACME"),
};

export const numberShape = {
  phoneFormat: told(
    z.enum(["digits", "e164", "national"]).default("digits"),
    "Number format",
    "How the variable phone is written: country code without +, with +, or as dialled inside the country",
    "digits",
  ),
  numberRules: told(
    z.array(z.object({ pattern, replacement: line.default("") }).strict()).max(20).default([]),
    "Number rules",
    "Replacements made in the number one after the other; $1 stands for the first group",
    [{ pattern: "^5989(\\d{7})$", replacement: "09$1" }],
  ),
  defaultCountry: told(
    z.string().refine(isKnownCountry, { message: "is not a country's two letters" }).optional(),
    "Country",
    "Of numbers that come in without a country code",
    "UY",
  ),
};

export const textShape = {
  charset: told(
    z.enum(CHARSETS).default("utf-8"),
    "Character set",
    "Of what is sent and of what comes in; gsm: one octet for each character of the GSM alphabet",
    "utf-8",
  ),
  messageAs: told(
    z.enum(MESSAGE_FORMS).default("text"),
    "Form of the text",
    "As text or as hex digits: of UCS-2, of GSM octets, or of whichever the message needs",
    "text",
  ),
  spaceAs: told(z.enum(["%20", "+"]).default("%20"), "Space", "How a space is written in an address", "%20"),
};

export const headersShape = {
  headers: told(
    z.record(headerName, headerTemplate).default({}),
    "Headers",
    "Sent with every call; variables may be used",
    { "X-Api-Key": "${password}" },
  ),
};

export const bodyShape = {
  queryIn: told(
    z.enum(["query", "form"]).default("query"),
    "Query",
    "form: what follows the ? in the address goes into a form body instead",
    "form",
  ),
  body: told(
    bodyTemplate.optional(),
    "Body",
    "A body with variables. In JSON a variable that stands without quotes is a complete string",
    '{"to":${phone},"text":${message}}',
  ),
  bodyFormat: told(
    z.enum(["json", "xml", "form", "text"]).default("json"),
    "Form of the body",
    "Decides how values are escaped, and the Content-Type if no header does",
    "json",
  ),
};

export const answerShape = {
  successStatus: told(
    statuses.optional(),
    "Statuses of success",
    "HTTP statuses that are a success; 200 to 299 without it",
    [200, 202],
  ),
  successContains: told(
    z.string().min(1).max(300).optional(),
    "Success contains",
    "Must be in the answer",
    "OK",
  ),
  successPattern: told(pattern.optional(), "Success pattern", "Must be found in the answer", "^OK"),
  successPath: told(
    path.optional(),
    "Success path",
    "Where a JSON or XML answer says whether it worked",
    "status",
  ),
  successValues: told(
    z.array(z.string().max(100)).min(1).max(20).default(["true", "ok", "success", "0"]),
    "Success values",
    "What stands at the success path after a success; case does not matter",
    ["ok"],
  ),
  failurePattern: told(
    pattern.optional(),
    "Failure pattern",
    "Must not be found in the answer; case does not matter",
    "error|denied",
  ),
  unmatched: told(
    errorClass.default("rejected"),
    "Otherwise",
    "Class of an answer that is no success and that no rule knows",
    "rejected",
  ),
  errorRules: told(
    z.array(
      z.object({
        status: statuses.optional(),
        pattern: pattern.optional(),
        path: path.optional(),
        value: z.string().max(100).optional(),
        class: errorClass,
        reason: z.string().min(1).max(200).optional(),
      }).strict().refine((rule) => rule.status ?? rule.pattern ?? rule.path, {
        message: "needs a status, a pattern or a path",
      })
        .refine((rule) => (rule.path === undefined) === (rule.value === undefined), {
          message: "path and value belong together",
          path: ["value"],
        }),
    ).max(50).default([]),
    "Error rules",
    "Looked at first; the first that fits gives the class. Case does not matter in its pattern",
    [{ pattern: "saldo|credit", class: "no-credit" }],
  ),
  errorRulesFor: told(
    z.enum(["all", "failures"]).default("all"),
    "Answers for the error rules",
    "all: the rules are looked at first, also for HTTP 200; failures: only where the answer is no success",
    "failures",
  ),
  throttleSeconds: told(
    z.number().int().min(1).max(3_600).optional(),
    "Pause when throttled",
    "Seconds to wait where the gateway asks to slow down and does not say for how long",
    30,
  ),
  codePattern: told(
    pattern.optional(),
    "Error code pattern",
    "Its first group is the gateway's error code",
    "^ERROR;(\\d+)",
  ),
  codePaths: told(
    z.array(path).max(10).default([]),
    "Error code paths",
    "Where an answer has its error code",
    [
      "error.code",
    ],
  ),
  codes: told(
    z.record(z.string().min(1).max(64), z.union([z.literal("success"), errorClass])).default({}),
    "Error codes",
    "What the gateway's codes mean",
    { "0": "success", "12": "invalid-number" },
  ),
  idPattern: told(
    pattern.optional(),
    "Id pattern",
    "Its first group is the gateway's id of the message",
    "^OK;(.+)$",
  ),
  idPaths: told(z.array(path).max(10).default([]), "Id paths", "Where an answer has the id, tried in order", [
    "messages[0].id",
  ]),
  idHeader: told(headerName.optional(), "Id header", "The answer's header that has the id", "X-Message-Id"),
};

export const checkShape = {
  checkUrl: told(
    urlTemplate.optional(),
    "Check address",
    "Fetched to prove the credentials, for example the balance; it must not send anything",
    "https://gateway.example.com/balance?user=${user}&key=${password}",
  ),
  checkPattern: told(
    pattern.optional(),
    "Check pattern",
    "Must be found in what the check address answers",
    "^\\d+$",
  ),
};

const names = (title: string, ...defaults: string[]) => fieldNames.default(defaults).meta({ title });

export const inboundShape = {
  fields: told(
    z.object({
      from: names("From", "from", "sender", "phone", "celular", "msisdn", "origen", "number"),
      to: names("To", "to", "receiver", "destino", "shortcode"),
      text: names("Text", "text", "message", "mensaje", "body", "texto"),
      id: names("Id", "id", "message_id", "messageId", "sms_id"),
      media: names("Media", "media", "media_url", "MediaUrl0"),
      status: names("Status", "status", "state", "estado", "dlr"),
      error: names("Error code", "error_code", "errorCode", "error"),
    }).strict().prefault({}),
    "Fields that come in",
    "Their names, tried in order; in JSON and XML also paths like sms.from",
    { from: ["sender"], text: ["content"] },
  ),
  itemsPath: told(
    path.optional(),
    "Path of the list",
    "Where a JSON or XML document has its list, if one call brings several messages or reports",
    "results",
  ),
  inboundTextAs: told(
    z.enum(["text", "ucs2-hex"]).default("text"),
    "Form of texts that come in",
    "As text or as hex digits of UCS-2",
    "text",
  ),
  reportField: told(
    z.string().min(1).max(100).optional(),
    "Field of reports",
    "For gateways that call one address for everything: what has this field is a delivery report",
    "dlr",
  ),
  statusWords: told(
    z.record(z.string().min(1).max(100), z.enum(REPORT_WORDS)).default({}),
    "Words of reports",
    "What the gateway calls the states of a message; added to the words that are known",
    { DELIVRD: "delivered" },
  ),
  inboundNumber: told(
    z.string().refine((text) => parseAddress(text) !== null, { message: "is not a number" }).optional(),
    "Our number",
    "Ours, where what comes in does not say",
    "+59899000000",
  ),
  reply: told(
    z.object({
      status: z.number().int().min(200).max(299).default(200),
      contentType: line.min(1).default("text/plain; charset=utf-8"),
      body: z.string().max(10_000).default("OK"),
    }).strict().prefault({}),
    "Reply",
    "What the gateway is answered when it calls",
    { body: "<ok/>", contentType: "text/xml" },
  ),
};

export const webhookShape = {
  webhookHeader: told(
    headerName.optional(),
    "Secret header",
    "Header that a caller must bring",
    "X-Gateway-Key",
  ),
  webhookHeaderValue: secret(
    line.min(8).optional(),
    "Its value",
    "Of the secret header",
    "a-long-random-text",
  ),
  webhookUser: told(
    line.min(1).optional(),
    "Caller's user",
    "HTTP Basic that a caller must bring",
    "gateway",
  ),
  webhookPassword: secret(line.min(1).optional(), "Caller's password", "Of the caller's user", "s3cret"),
  webhookHmacSecret: secret(
    line.min(8).optional(),
    "Signing secret",
    "The raw body must be signed with it (HMAC)",
    "a-long-random-text",
  ),
  webhookHmacHeader: told(
    headerName.default("X-Signature"),
    "Signature header",
    "Where the signature stands",
    "X-Signature",
  ),
  webhookHmacPrefix: told(line.default(""), "Signature prefix", "What stands before it", "sha256="),
  webhookHmacAlgorithm: told(
    z.enum(["sha1", "sha256", "sha512"]).default("sha256"),
    "Signature algorithm",
    "Of the HMAC",
    "sha256",
  ),
  webhookHmacEncoding: told(
    z.enum(["hex", "base64"]).default("hex"),
    "Signature digits",
    "How it is written",
    "hex",
  ),
  webhookAddresses: told(
    z.array(
      z.string().max(50).superRefine((text, context) => {
        const fault = cidrFault(text);
        if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
      }),
    ).max(100).default([]),
    "Callers' addresses",
    "Addresses and ranges that may call; empty: all",
    ["203.0.113.0/24"],
  ),
  webhookProxies: told(
    z.number().int().min(0).max(5).default(0),
    "Proxies before us",
    "How many of our own proxies stand before us: the caller's address is that many places from the end of X-Forwarded-For",
    1,
  ),
};

export const requestShape = {
  method: told(
    z.enum(["GET", "POST", "PUT", "PATCH"]).default("POST"),
    "Method",
    "Of the call that sends",
    "POST",
  ),
  url: told(
    urlTemplate,
    "Address",
    "Called to send; variables stand in ${…}",
    "https://gateway.example.com/x.php?to=${phone}&text=${message}&id=${id}",
  ),
  auth: told(
    z.enum(["none", "basic", "bearer"]).default("none"),
    "Login",
    "basic: HTTP Basic with user and password; bearer: the password as a bearer token",
    "basic",
  ),
  parameters: told(
    z.record(parameterName, textTemplate).default({}),
    "Parameters",
    "Names with templates; one that comes out empty is left out",
    { to: "${phone}", text: "${message}" },
  ),
  parametersIn: told(
    z.enum(["query", "form", "json"]).default("form"),
    "Place of the parameters",
    "In the address, in a form, or as a JSON object of texts",
    "form",
  ),
};

export const GatewayShape = {
  ...requestShape,
  ...accountShape,
  ...headersShape,
  ...bodyShape,
  ...textShape,
  ...numberShape,
  ...answerShape,
  ...checkShape,
  ...inboundShape,
  ...webhookShape,
};

const RawSettings = z.object(GatewayShape);
export type GatewaySettings = z.output<typeof RawSettings>;
