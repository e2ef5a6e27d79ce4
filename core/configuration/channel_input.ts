/**
 * A channel as people write it: the shared settings stand beside its name and provider.
 *
 * @module
 */
import { z } from "zod";
import { type ChannelSettings, ChannelSettingsSchema } from "../channel.ts";
import { type FieldError, fieldErrors } from "../fields.ts";
import { Pattern, PatternError } from "../pattern.ts";
import type { ChannelRecord } from "../ports/configuration.ts";
import type { Provider } from "../ports/provider.ts";
import { parseCredentials } from "./credentials.ts";
import { invalid } from "./fault.ts";
import { type Fields, isFields, mergePatch, patchSchema } from "./merge.ts";
import { NameSchema } from "./name.ts";

export const ChannelInputSchema = z.object({
  name: NameSchema,
  provider: z.string().min(1).max(50).describe("One of the kinds that /v1/providers lists"),
  enabled: z.boolean().default(true),
  isDefault: z.boolean().default(false).describe("The one that is used where no other is named; only one is"),
  credentials: z.record(z.string().max(100), z.unknown()).default({})
    .describe("By the provider's own schema, see /v1/providers"),
  ...ChannelSettingsSchema.shape,
}).strict();

export const ChannelPatchSchema = patchSchema(ChannelInputSchema, ["provider"]);

export interface ChannelInput {
  readonly name: string;
  readonly provider: string;
  readonly enabled: boolean;
  readonly isDefault: boolean;
  readonly credentials: Fields;
  readonly settings: ChannelSettings;
}

/**
 * Reads a whole channel. The provider's own defaults lie under what is written.
 *
 * @throws {ConfigurationFault} `invalid`, with all fields that do not fit, those of the credentials included.
 */
export function parseChannel(
  providers: ReadonlyMap<string, Provider>,
  raw: Fields,
  current?: ChannelRecord,
): ChannelInput {
  const provider = typeof raw.provider === "string" ? providers.get(raw.provider) : undefined;
  const errors: FieldError[] = [];
  const result = ChannelInputSchema.safeParse(provider ? mergePatch(provider.defaults, raw) : raw);
  if (!result.success) errors.push(...fieldErrors(result.error));
  else errors.push(...patternErrors(result.data.destinationPattern));
  if (typeof raw.provider === "string" && provider === undefined) {
    const known = [...providers.keys()].join(", ");
    errors.push({ field: "provider", message: `there is no provider ${raw.provider}; there are: ${known}` });
  }
  let credentials: Fields = {};
  if (provider && (raw.credentials === undefined || isFields(raw.credentials))) {
    const parsed = parseCredentials(provider, raw.credentials ?? {}, current?.credentials);
    if ("errors" in parsed) errors.push(...parsed.errors);
    else credentials = parsed.credentials;
  }
  if (!result.success || errors.length > 0) throw invalid(...errors);
  const { name, provider: kind, enabled, isDefault, credentials: _raw, ...settings } = result.data;
  return { name, provider: kind, enabled, isDefault, credentials, settings };
}

/** A stored channel as people would write it, to be changed by a patch. */
export function channelAsInput(row: ChannelRecord): Fields {
  return {
    name: row.name,
    provider: row.provider,
    enabled: row.enabled,
    isDefault: row.isDefault,
    credentials: row.credentials,
    ...row.settings,
  };
}

function patternErrors(pattern: string | undefined): FieldError[] {
  if (pattern === undefined) return [];
  try {
    new Pattern(pattern);
    return [];
  } catch (error) {
    const reason = error instanceof PatternError ? error.message : "is not a regular expression";
    return [{ field: "destinationPattern", message: `the pattern ${reason}` }];
  }
}
