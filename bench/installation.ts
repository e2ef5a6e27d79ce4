/**
 * An installation made over the API: what a channel, numbers and their queue are called.
 *
 * @module
 */
import type { ApiClient } from "./api_client.ts";
import { TWILIO_DEFAULT_ACCOUNT } from "./simulator/twilio_account.ts";

export interface Installation {
  readonly channelId: string;
  /** Where contacts' messages go. */
  readonly webhookUrl: string;
  /** Ours; they lead to one queue. */
  readonly numbers: readonly string[];
  /** The queue's extensions. */
  readonly members: readonly string[];
}

export interface InstallationOptions {
  readonly api: ApiClient;
  /** Where sends go; the carrier simulator. */
  readonly carrierUrl: string;
  readonly rateMps: number;
  readonly burst: number;
}

const NUMBERS = ["+14155550100", "+14155550101", "+14155550102", "+14155550103"];

/** One Twilio channel with four numbers that lead to a queue of two members. */
export async function install(options: InstallationOptions): Promise<Installation> {
  const { api, carrierUrl, rateMps, burst } = options;
  const { id: channelId, webhookUrl } = await api.post<{ id: string; webhookUrl: string }>("/v1/channels", {
    name: "Bench",
    provider: "twilio",
    credentials: { accountSid: TWILIO_DEFAULT_ACCOUNT.sid, authToken: TWILIO_DEFAULT_ACCOUNT.authToken },
    baseUrl: carrierUrl,
    rateMps,
    burst,
  });
  const members = await Promise.all(
    ["101", "102"].map(async (extension) =>
      (await api.post<{ id: string }>("/v1/extensions", { extension, name: `Agent ${extension}` })).id
    ),
  );
  const queue = await api.post<{ id: string }>("/v1/queues", { name: "Bench", members });
  for (const number of NUMBERS) {
    await api.post("/v1/numbers", { channelId, number, destination: { kind: "queue", id: queue.id } });
  }
  return { channelId, webhookUrl, numbers: NUMBERS, members };
}

export interface ChannelOptions extends InstallationOptions {
  /** Tells it from the others: its name and its number are made from it. From 0, below 10,000. */
  readonly index: number;
  /** @default true */
  readonly enabled?: boolean;
}

/** A channel beside others, with one number. */
export interface SendChannel {
  readonly id: string;
  readonly number: { readonly id: string; readonly number: string };
}

/** One more Twilio channel with a number of its own. */
export async function addChannel(options: ChannelOptions): Promise<SendChannel> {
  const { api, carrierUrl, rateMps, burst, index, enabled = true } = options;
  const { id } = await api.post<{ id: string }>("/v1/channels", {
    name: `Bench ${index}`,
    provider: "twilio",
    credentials: { accountSid: TWILIO_DEFAULT_ACCOUNT.sid, authToken: TWILIO_DEFAULT_ACCOUNT.authToken },
    baseUrl: carrierUrl,
    enabled,
    rateMps,
    burst,
  });
  const number = `+1212555${String(index).padStart(4, "0")}`;
  return { id, number: await api.post("/v1/numbers", { channelId: id, number }) };
}

export interface Counts {
  readonly received: number;
  readonly sent: number;
  readonly delivered: number;
  readonly failed: number;
}

/** The channel's counters: written in the same statement as the messages they count. */
export async function countsOf(api: ApiClient, channelId: string): Promise<Counts> {
  return (await api.get<{ total: Counts }>(`/v1/channels/${channelId}/statistics`)).total;
}

/** Waits until the counters say so; gives them as they were last. */
export async function untilCounts(
  api: ApiClient,
  channelId: string,
  reached: (counts: Counts) => boolean,
  options: { readonly timeoutMs: number; readonly everyMs: number },
): Promise<Counts> {
  const endMs = performance.now() + options.timeoutMs;
  for (;;) {
    const counts = await countsOf(api, channelId);
    if (reached(counts) || performance.now() >= endMs) return counts;
    await new Promise((resolve) => setTimeout(resolve, options.everyMs));
  }
}
