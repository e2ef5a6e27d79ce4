/**
 * A configuration made over the API as an administrator makes it: a channel at the simulator, agents, a queue,
 * a platform, and numbers that lead to each of them.
 *
 * @module
 */
import type { GeneratorOptions } from "../../bench/simulator/generator.ts";
import type { ProviderName } from "../../bench/simulator/faults.ts";
import type { Simulator } from "../../bench/simulator/server.ts";
import { Api } from "./api.ts";

/** Where the simulator's contacts write to, and how it is signed. */
export type WebhookOf = Pick<GeneratorOptions, "provider" | "url" | "publicUrl">;

export interface ConfiguredChannel {
  readonly id: string;
  readonly webhook: WebhookOf;
}

export interface Agent {
  readonly extensionId: string;
  readonly extension: string;
  readonly api: Api;
}

export interface Configured {
  readonly channel: ConfiguredChannel;
  /** Ours, by where they lead to; `nowhere` has no destination. */
  readonly numbers: Readonly<Record<"queue" | "extension" | "platform" | "nowhere", string>>;
  readonly queueId: string;
  /** Members of the queue; the first one has the number that leads to an extension. */
  readonly agents: readonly [Agent, Agent];
  readonly platform: { readonly id: string; readonly api: Api };
}

const NUMBERS = {
  queue: "+14155550101",
  extension: "+14155550102",
  platform: "+14155550103",
  nowhere: "+14155550104",
} as const;

/** Makes all of it. `settings` are the channel's. */
export async function configure(
  api: Api,
  simulator: Simulator,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Configured> {
  const channel = await addChannel(api, simulator, "twilio", "main", settings);
  const agents = await Promise.all([addAgent(api, "101"), addAgent(api, "102")]);
  const queue = await api.post("/v1/queues", { name: "sales" });
  for (const { extensionId } of agents) await api.post(`/v1/queues/${queue.id}/members`, { extensionId });
  const platform = await api.post("/v1/platforms", { name: "analysis" });
  const platformKey = await api.post("/v1/keys", {
    name: "platform",
    role: "platform",
    platformId: platform.id,
  });
  const destinations = {
    queue: { kind: "queue", id: queue.id },
    extension: { kind: "extension", id: agents[0].extensionId },
    platform: { kind: "platform", id: platform.id },
    nowhere: null,
  };
  for (const [name, number] of Object.entries(NUMBERS)) {
    const destination = destinations[name as keyof typeof NUMBERS];
    await api.post("/v1/numbers", { channelId: channel.id, number, destination });
  }
  return {
    channel,
    numbers: NUMBERS,
    queueId: queue.id,
    agents,
    platform: { id: platform.id, api: api.as(platformKey.key) },
  };
}

/** An extension with a key of its own. */
export async function addAgent(api: Api, extension: string): Promise<Agent> {
  const { id } = await api.post("/v1/extensions", { extension, name: `Agent ${extension}` });
  const { key } = await api.post("/v1/keys", { name: extension, role: "agent", extensionId: id });
  return { extensionId: id, extension, api: api.as(key) };
}

/** A channel that speaks with the simulator; fast unless `settings` say otherwise. */
export async function addChannel(
  api: Api,
  simulator: Simulator,
  provider: ProviderName,
  name: string,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<ConfiguredChannel> {
  const credentials: Partial<Record<ProviderName, Readonly<Record<string, string>>>> = {
    twilio: { accountSid: simulator.account.sid, authToken: simulator.account.authToken },
    voicemeup: { username: "simulator", authToken: "simulator-token" },
    urlsms: { url: `${simulator.url}/send.php?to=\${phone}&text=\${message}&id=\${id}&from=\${from}` },
  };
  const made = await api.post("/v1/channels", {
    name,
    provider,
    credentials: credentials[provider],
    ...(provider === "urlsms" ? {} : { baseUrl: simulator.url }),
    rateMps: 100_000,
    burst: 1_000,
    costUnit: "message",
    ...settings,
  });
  return { id: made.id, webhook: { provider, url: made.webhookUrl, publicUrl: made.webhookUrl } };
}
