/**
 * Makes a provider of a gateway that is called over HTTP: which settings it shows, and how they become a gateway's.
 *
 * @module
 */
import type { z } from "zod";
import type { Channel } from "../../../core/channel.ts";
import type { Provider, ProviderDescription } from "../../../core/ports/provider.ts";
import { failed } from "../answers.ts";
import { unreadable } from "../inbound.ts";
import { readAnswer, readCheck } from "./answer.ts";
import { buildCall, buildCheck } from "./call.ts";
import { compileGateway, type Gateway } from "./gateway.ts";
import { GatewaySchema } from "./settings_check.ts";
import { readWebhook } from "./webhook.ts";

export interface HttpProviderOptions {
  readonly kind: string;
  readonly title: string;
  readonly credentials: z.ZodObject;
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly description: ProviderDescription;
  readonly mms: boolean;
  readonly deliveryReports: boolean;
  /** A gateway's settings from a channel's credentials, which the schema has passed. */
  readonly settingsOf: (credentials: Readonly<Record<string, unknown>>) => unknown;
}

const INCOMPLETE = "the channel's settings are incomplete";

export function httpProvider(options: HttpProviderOptions): Provider {
  const known = new WeakMap<object, Gateway | null>();
  /** Null where the settings do not fit; worked out once for each version of a channel. */
  const gatewayOf = ({ credentials }: Channel): Gateway | null => {
    let gateway = known.get(credentials);
    if (gateway === undefined) {
      const shown = options.credentials.safeParse(credentials);
      const parsed = shown.success ? GatewaySchema.safeParse(options.settingsOf(shown.data)) : undefined;
      gateway = parsed?.success ? compileGateway(parsed.data) : null;
      known.set(credentials, gateway);
    }
    return gateway;
  };
  const required = (channel: Channel): Gateway => {
    const gateway = gatewayOf(channel);
    if (gateway === null) throw new Error(`channel ${channel.id} has settings that do not fit its provider`);
    return gateway;
  };
  return {
    kind: options.kind,
    title: options.title,
    credentials: options.credentials,
    defaults: options.defaults,
    description: options.description,
    supports: {
      mms: options.mms,
      deliveryReports: options.deliveryReports,
      signature: false,
      idempotency: false,
    },
    parseWebhook: (request, channel) => {
      const gateway = gatewayOf(channel);
      return gateway === null ? unreadable(INCOMPLETE) : readWebhook(request, gateway);
    },
    buildSend: (message, channel) => buildCall(required(channel), message, channel),
    readSend: (answer, channel) => {
      const gateway = gatewayOf(channel);
      return gateway === null
        ? failed(answer, { class: "bad-response", reason: INCOMPLETE })
        : readAnswer(gateway, answer);
    },
    buildVerify: (channel) => buildCheck(required(channel), channel),
    readVerify: (answer, channel) => {
      const gateway = gatewayOf(channel);
      return gateway === null ? { ok: false, reason: INCOMPLETE } : readCheck(gateway, answer);
    },
  };
}
