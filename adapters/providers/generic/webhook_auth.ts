/**
 * How a gateway that calls us proves itself, beside the secret in the path: by what its channel asks for.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { WebhookRequest } from "../../../core/ports/provider.ts";
import { basicAuthorization, sameSecret } from "../secrets.ts";
import { isInRanges } from "./cidr.ts";
import type { Gateway } from "./gateway.ts";

/** The address of whoever called: behind `proxies` of our own, what the outermost of them saw. */
export function callerOf(request: WebhookRequest, proxies: number): string {
  if (proxies === 0) return request.remoteAddress?.() ?? "";
  const seen = (request.headers.get("x-forwarded-for") ?? "").split(",").map((address) => address.trim());
  return seen[seen.length - proxies] ?? "";
}

function isSigned(request: WebhookRequest, { settings }: Gateway): boolean {
  const { webhookHmacSecret, webhookHmacHeader, webhookHmacPrefix } = settings;
  if (webhookHmacSecret === undefined) return true;
  const expected = createHmac(settings.webhookHmacAlgorithm, webhookHmacSecret).update(request.body)
    .digest(settings.webhookHmacEncoding);
  const given = request.headers.get(webhookHmacHeader);
  const isHex = settings.webhookHmacEncoding === "hex";
  if (given === null || !given.startsWith(webhookHmacPrefix)) return false;
  const digits = given.slice(webhookHmacPrefix.length).trim();
  return sameSecret(isHex ? digits.toLowerCase() : digits, expected);
}

/** What is missing or wrong, or null where the caller has proved itself. */
export function webhookFault(request: WebhookRequest, gateway: Gateway): string | null {
  const { settings, callers } = gateway;
  const { webhookHeader, webhookHeaderValue, webhookUser, webhookPassword, webhookProxies } = settings;
  if (callers !== null && !isInRanges(callers, callerOf(request, webhookProxies))) {
    return "the caller's address is not one of those that this channel knows";
  }
  if (webhookHeader !== undefined && webhookHeaderValue !== undefined) {
    if (!sameSecret(request.headers.get(webhookHeader), webhookHeaderValue)) {
      return "the header that this channel wants is missing or wrong";
    }
  }
  if (webhookUser !== undefined && webhookPassword !== undefined) {
    const given = request.headers.get("authorization")?.replace(/^basic +/i, "Basic ");
    if (!sameSecret(given, basicAuthorization(webhookUser, webhookPassword))) {
      return "the user and password that this channel wants are missing or wrong";
    }
  }
  return isSigned(request, gateway) ? null : "the signature is missing or wrong";
}
