/**
 * What the demo sets up over the API: a channel, three numbers, a queue, two agents and a bot.
 *
 * @module
 */
import { ApiClient } from "../api_client.ts";
import { TWILIO_DEFAULT_ACCOUNT } from "../simulator/twilio_account.ts";

export interface DemoAgent {
  readonly name: string;
  readonly extensionId: string;
  readonly api: ApiClient;
}

export interface DemoInstallation {
  readonly channelId: string;
  readonly webhookUrl: string;
  /** Of the queue, of the bot, of the first agent. */
  readonly numbers: readonly string[];
  readonly queueId: string;
  readonly agents: readonly DemoAgent[];
  readonly bot: { readonly platformId: string; readonly api: ApiClient };
}

/** What the channel may send: little enough to be seen at work. */
export const DEMO_RATE = { rateMps: 10, burst: 5 } as const;

const NUMBERS = { queue: "+14155550101", bot: "+14155550102", direct: "+14155550103" };
const AGENTS = [{ extension: "101", name: "Ana" }, { extension: "102", name: "Ben" }];

/** Sets everything up; `carrierUrl` is where the channel sends to. */
export async function installDemo(api: ApiClient, carrierUrl: string): Promise<DemoInstallation> {
  const { id: channelId, webhookUrl } = await api.post<{ id: string; webhookUrl: string }>("/v1/channels", {
    name: "Simulated Twilio",
    provider: "twilio",
    credentials: { accountSid: TWILIO_DEFAULT_ACCOUNT.sid, authToken: TWILIO_DEFAULT_ACCOUNT.authToken },
    baseUrl: carrierUrl,
    ...DEMO_RATE,
  });
  const agents: DemoAgent[] = [];
  for (const agent of AGENTS) {
    const { id: extensionId } = await api.post<{ id: string }>("/v1/extensions", agent);
    const key = await keyFor(api, { name: agent.name, role: "agent", extensionId });
    agents.push({ name: agent.name, extensionId, api: key });
  }
  const members = agents.map(({ extensionId }) => extensionId);
  const { id: queueId } = await api.post<{ id: string }>("/v1/queues", { name: "Sales", members });
  const { id: platformId } = await api.post<{ id: string }>("/v1/platforms", { name: "Order bot" });
  const bot = { platformId, api: await keyFor(api, { name: "Order bot", role: "platform", platformId }) };
  const destinations = [
    { number: NUMBERS.queue, destination: { kind: "queue", id: queueId } },
    { number: NUMBERS.bot, destination: { kind: "platform", id: platformId } },
    { number: NUMBERS.direct, destination: { kind: "extension", id: members[0] } },
  ];
  for (const number of destinations) await api.post("/v1/numbers", { channelId, ...number });
  return { channelId, webhookUrl, numbers: Object.values(NUMBERS), queueId, agents, bot };
}

async function keyFor(api: ApiClient, what: Readonly<Record<string, string>>): Promise<ApiClient> {
  const { key } = await api.post<{ key: string }>("/v1/keys", what);
  return new ApiClient(api.url, key);
}
