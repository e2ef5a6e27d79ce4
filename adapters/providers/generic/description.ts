/**
 * What people are told of gateways that are called over HTTP.
 *
 * @module
 */
import type { ProviderDescription } from "../../../core/ports/provider.ts";

type Errors = ProviderDescription["errors"];

/** What every rule set ends with: the HTTP status. */
export const STATUS_ERRORS: Errors = [
  { code: "HTTP 401, 403", class: "auth", reason: "the credentials were refused", source: "assumed" },
  { code: "HTTP 402", class: "no-credit", reason: "the account is out of credit", source: "assumed" },
  { code: "HTTP 408", class: "timeout", reason: "the gateway gave up waiting", source: "assumed" },
  { code: "HTTP 425, 429", class: "throttled", reason: "the gateway asks to slow down", source: "assumed" },
  {
    code: "HTTP 400 to 499",
    class: "bad-request",
    reason: "the gateway refused the request",
    source: "assumed",
  },
  { code: "HTTP 500 to 599", class: "provider-error", reason: "the gateway has a fault", source: "assumed" },
];

export const WEBHOOK_AUTHENTICATION =
  "The secret in the webhook's path, and what the channel asks for besides: a " +
  "secret header, HTTP Basic, an HMAC of the body, ranges of addresses";

export const GENERIC_DESCRIPTION: ProviderDescription = {
  docsUrl: "https://integra-scm.atlassian.net/wiki/spaces/UCEN/pages/407680333",
  authentication: WEBHOOK_AUTHENTICATION,
  facts: [
    { fact: "Variables phone, message and id, written ${x} or {x}", source: "documented" },
    { fact: "160 characters unless the channel says otherwise", source: "documented" },
    { fact: "A POST moves the address's query into a form body", source: "assumed" },
    { fact: "Any status from 200 to 299 is a success unless the channel has rules", source: "assumed" },
    { fact: "5 messages a second", source: "assumed" },
    {
      fact: "Reports come to /status, /status/<message id> or /status/<state> below the webhook URL",
      source: "assumed",
    },
  ],
  errors: STATUS_ERRORS,
};
