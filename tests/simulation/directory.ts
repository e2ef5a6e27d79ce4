/**
 * The configuration in the simulation.
 *
 * @module
 */
import type { Bucket } from "../../bench/audit/run.ts";
import { type Channel, ChannelSettingsSchema, type OwnNumber } from "../../core/channel.ts";
import { DEFAULT_AGENT_SETTINGS } from "../../core/dispatch/settings.ts";
import { type Directory, EMPTY_DIRECTORY } from "../../core/directory.ts";
import type { World } from "./world.ts";

/** Two channels that differ in what they do when a result is lost, three numbers, one of them with a rate of its own. */
export function directoryOf(world: World): Directory {
  const fallback = world.chance(0.3) ? { fallbackChannelId: "ch_resending" } : {};
  const channelOf = (name: string, uncertain: "hold" | "resend", more = {}): Channel => ({
    id: `ch_${name}`,
    name,
    provider: "simulated",
    enabled: true,
    isDefault: false,
    settings: ChannelSettingsSchema.parse({
      rateMps: Math.round(world.between(3, 30)),
      burst: Math.round(world.between(1, 4)),
      timeoutMs: 1_500,
      uncertain,
      retry: { initialMs: 100, factor: 2, maxMs: 2_000, maxTries: 6 },
      ...more,
    }),
    credentials: {},
  });
  const numberOf = (number: string, channelId: string, rateMps: number | null): OwnNumber => ({
    id: `num_${number}`,
    channelId,
    number,
    type: "geographic",
    label: null,
    verified: true,
    direction: "both",
    purpose: "chat",
    rateMps,
    burst: rateMps === null ? null : 1,
    destination: null,
    allowedExtensions: [],
    allowedQueues: [],
    optOut: null,
  });
  const channels = [channelOf("holding", "hold", fallback), channelOf("resending", "resend")];
  const numbers = [
    numberOf("+14155550101", "ch_holding", null),
    numberOf("+14155550102", "ch_holding", 2),
    numberOf("+14155550103", "ch_resending", null),
  ];
  const extensions = ["101", "102"].map((extension) => ({
    id: `ext_${extension}`,
    extension,
    name: extension,
    ...DEFAULT_AGENT_SETTINGS,
  }));
  return {
    ...EMPTY_DIRECTORY,
    channels: new Map(channels.map((channel) => [channel.id, channel])),
    numbers: new Map(numbers.map((number) => [number.id, number])),
    numbersByAddress: new Map(numbers.map((number) => [number.number, number])),
    extensions: new Map(extensions.map((extension) => [extension.id, extension])),
  };
}

/** The rates that it declares. */
export function bucketsOf({ channels, numbers }: Directory): Bucket[] {
  const all = [...numbers.values()];
  const ofChannel = [...channels.values()].map((
    { id, name, settings: { rateMps, burst, costUnit } },
  ): Bucket => ({
    name,
    numbers: all.filter(({ channelId }) => channelId === id).map(({ number }) => number),
    rateMps,
    burst,
    costUnit,
  }));
  const ofNumber = all.flatMap(({ number, rateMps, burst }): Bucket[] =>
    rateMps === null
      ? []
      : [{ name: number, numbers: [number], rateMps, burst: burst ?? 1, costUnit: "message" }]
  );
  return [...ofChannel, ...ofNumber];
}
