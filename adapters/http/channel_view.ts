/**
 * Channels as `/v1/channels` shows them.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { CHANNEL_STATUSES, ChannelSettingsSchema } from "../../core/channel.ts";
import { channelView } from "../../core/configuration/channels.ts";
import type { ApiKey } from "../../core/directory.ts";
import type { ChannelRecord, ConfigurationReader } from "../../core/ports/configuration.ts";
import type { AppDeps } from "./deps.ts";
import { TimeSchema } from "./times.ts";

export const ChannelSchema = z.object({
  id: z.string(),
  name: z.string(),
  provider: z.string(),
  enabled: z.boolean(),
  isDefault: z.boolean(),
  status: z.enum(CHANNEL_STATUSES),
  statusReason: z.string().nullable(),
  statusAt: TimeSchema,
  credentials: z.record(z.string(), z.unknown()).openapi({ description: "Secrets show as (set)" }),
  ...ChannelSettingsSchema.shape,
  webhookUrl: z.string().optional().openapi({
    description:
      "Where the provider is to send messages; reports go to `/status` below it. For administrators only",
  }),
  previousWebhookUrl: z.string().nullable().optional().openapi({
    description: "Still works after a rotation",
  }),
  previousWebhookExpiresAt: TimeSchema.nullable().optional(),
  createdAt: TimeSchema,
  updatedAt: TimeSchema,
}).openapi("Channel");

/** The channel as the holder of `key` may see it. */
export async function showChannel(
  reader: ConfigurationReader,
  deps: AppDeps,
  key: ApiKey,
  row: ChannelRecord,
) {
  const view = channelView(row, deps.providers);
  if (key.role !== "administrator") return view;
  const [current, previous] = await reader.webhooks(row.id, deps.now());
  const url = (secret: string) => `${deps.publicUrl}/webhooks/${row.provider}/${secret}`;
  return {
    ...view,
    ...(current ? { webhookUrl: url(current.secret) } : {}),
    previousWebhookUrl: previous ? url(previous.secret) : null,
    previousWebhookExpiresAt: previous?.expiresAt?.toISOString() ?? null,
  };
}
