/**
 * The generic kinds: the four URLSMS ones, which take an address as a template, and `http`, which can be set in
 * everything.
 *
 * @module
 */
import { z } from "zod";
import type { Provider, ProviderDescription } from "../../../core/ports/provider.ts";
import { httpProvider } from "./provider.ts";
import { answerShape, checkShape } from "./answer_settings.ts";
import { inboundShape, webhookShape } from "./inbound_settings.ts";
import {
  accountShape,
  bodyShape,
  headersShape,
  numberShape,
  requestShape,
  textShape,
} from "./sending_settings.ts";
import { GatewaySchema } from "./settings_check.ts";
import { GENERIC_DESCRIPTION } from "./description.ts";

const COMMON = {
  ...headersShape,
  ...textShape,
  ...numberShape,
  ...answerShape,
  ...checkShape,
  ...inboundShape,
  ...webhookShape,
};

const LOGIN = {
  user: accountShape.user.unwrap().meta({ ...accountShape.user.meta() }),
  password: accountShape.password.unwrap().meta({ ...accountShape.password.meta() }),
};

const POST_BODY = {
  ...bodyShape,
  queryIn: z.enum(["query", "form"]).default("form").meta({ ...bodyShape.queryIn.meta() }),
};

const DEFAULTS = { rateMps: 5, burst: 5, costUnit: "message", maxTextLength: 160 };

interface UrlKind {
  readonly kind: string;
  readonly title: string;
  readonly shape: z.ZodRawShape;
  readonly fixed: Readonly<Record<string, unknown>>;
}

function withFact(fact: string): ProviderDescription {
  return {
    ...GENERIC_DESCRIPTION,
    facts: [{ fact, source: "documented" }, ...GENERIC_DESCRIPTION.facts],
  };
}

function urlKind({ kind, title, shape, fixed }: UrlKind, fact: string): Provider {
  const settingsOf = (credentials: object) => ({ ...credentials, ...fixed, ...bodyless(credentials) });
  const shown = z.object({ url: requestShape.url, ...accountShape, ...shape, ...COMMON }).strict();
  const credentials = shown.superRefine((fields, context) => {
    const all = GatewaySchema.safeParse(settingsOf(fields));
    for (const issue of all.error?.issues ?? []) {
      context.addIssue({ ...issue, code: "custom", path: issue.path.map(String) });
    }
  });
  return httpProvider({
    kind,
    title,
    credentials,
    defaults: DEFAULTS,
    description: withFact(fact),
    mms: false,
    deliveryReports: true,
    settingsOf,
  });
}

/** A body of one's own leaves the query where it is. */
function bodyless(credentials: object): Readonly<Record<string, unknown>> {
  return "body" in credentials && credentials.body !== undefined ? { queryIn: "query" } : {};
}

const GET = { method: "GET" };
const POST = { method: "POST" };
const BASIC = { auth: "basic" };

export const urlsms = urlKind(
  { kind: "urlsms", title: "Generic HTTP: GET (URLSMS)", shape: {}, fixed: GET },
  "Sends by a GET to an address with variables",
);

export const urlsmsauth = urlKind(
  {
    kind: "urlsmsauth",
    title: "Generic HTTP: GET with login (URLSMSAuth)",
    shape: LOGIN,
    fixed: { ...GET, ...BASIC },
  },
  "Sends by a GET with HTTP Basic",
);

const post = { shape: POST_BODY, fixed: POST };
const POSTS = "Sends by a POST to an address with variables";

export const urlsmspost = urlKind(
  { kind: "urlsmspost", title: "Generic HTTP: POST (URLSMSPOST)", ...post },
  POSTS,
);

/** The newer of two names for the same: both stand in documents that people have. */
export const urlpostsms = urlKind(
  { kind: "urlpostsms", title: "Generic HTTP: POST (URLPOSTSMS, same as URLSMSPOST)", ...post },
  POSTS,
);

export const urlpostsmsauth = urlKind(
  {
    kind: "urlpostsmsauth",
    title: "Generic HTTP: POST with login (URLPOSTSMSAuth)",
    shape: { ...LOGIN, ...POST_BODY },
    fixed: { ...POST, ...BASIC },
  },
  "Sends by a POST with HTTP Basic",
);

export const http = httpProvider({
  kind: "http",
  title: "Generic HTTP: everything can be set",
  credentials: GatewaySchema,
  defaults: { ...DEFAULTS, maxTextLength: 1_600 },
  description: GENERIC_DESCRIPTION,
  mms: true,
  deliveryReports: true,
  settingsOf: (credentials) => credentials,
});
