/**
 * A channel of each provider, made of the examples in its settings' schema: what its documentation shows works.
 *
 * @module
 */
import { z } from "zod";
import { type Channel, ChannelSettingsSchema } from "../../core/channel.ts";
import type { Provider } from "../../core/ports/provider.ts";
import { channelOf } from "./support.ts";

/** For schemas without examples, and for what proves a webhook where that can be left out. */
const SAMPLES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  sinch: { webhookSecret: "sinch-hook-secret-1" },
  smsmasivo: { user: "DEMO500", password: "s3cret", inboundNumber: "70700" },
  urlsms: { url: "http://gateway.example.test/send.php?to=${phone}&text=${message}" },
};

type Property = { readonly examples?: readonly unknown[] };

/** The examples of the required fields, and of those in `optional`. */
export function sampleCredentials(
  provider: Provider,
  optional: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  const { properties = {}, required = [] } = z.toJSONSchema(provider.credentials, {
    io: "input",
    unrepresentable: "any",
  }) as { properties?: Record<string, Property>; required?: string[] };
  const examples = [...required, ...optional].flatMap((name) => {
    const example = properties[name]?.examples?.[0];
    return example === undefined ? [] : [[name, example] as const];
  });
  return provider.credentials.parse({ ...SAMPLES[provider.kind], ...Object.fromEntries(examples) });
}

/** With everything else as it is when nobody sets it. */
export function sampleChannel(provider: Provider, optional?: readonly string[]): Channel {
  const channel = channelOf(provider.kind, sampleCredentials(provider, optional));
  return { ...channel, settings: ChannelSettingsSchema.parse(provider.defaults) };
}
