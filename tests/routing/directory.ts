/** A small installation for tests of decisions: two extensions, a queue, a platform, a number for each destination. */
import { type Channel, ChannelSettingsSchema, type OwnNumber } from "../../core/channel.ts";
import { DEFAULT_AGENT_SETTINGS, DEFAULT_DISTRIBUTION } from "../../core/dispatch/settings.ts";
import { type Directory, EMPTY_DIRECTORY, type MessageQueue } from "../../core/directory.ts";

export const CHANNEL: Channel = {
  id: "ch_00000000000000000000000001",
  name: "Main",
  provider: "twilio",
  enabled: true,
  isDefault: true,
  settings: ChannelSettingsSchema.parse({}),
  credentials: {},
};

export const ALICE = "ext_0000000000000000000000000a";
export const BOB = "ext_0000000000000000000000000b";
export const CAROL = "ext_0000000000000000000000000c";
export const QUEUE = "mq_00000000000000000000000001";
export const PLATFORM = "plt_00000000000000000000000001";

function number(index: number, destination: OwnNumber["destination"]): OwnNumber {
  return {
    id: `num_0000000000000000000000000${index}`,
    channelId: CHANNEL.id,
    number: `+1415555010${index}`,
    type: "mobile",
    label: null,
    verified: true,
    direction: "both",
    purpose: "chat",
    rateMps: null,
    burst: null,
    destination,
    allowedExtensions: [],
    allowedQueues: [],
    optOut: null,
  };
}

export const TO_EXTENSION = number(1, { kind: "extension", id: ALICE });
export const TO_QUEUE = number(2, { kind: "queue", id: QUEUE });
export const TO_PLATFORM = number(3, { kind: "platform", id: PLATFORM });
export const TO_NOBODY = number(4, null);

const NUMBERS = [TO_EXTENSION, TO_QUEUE, TO_PLATFORM, TO_NOBODY];

export const DIRECTORY: Directory = {
  ...EMPTY_DIRECTORY,
  version: 1,
  channels: new Map([[CHANNEL.id, CHANNEL]]),
  numbers: new Map(NUMBERS.map((n) => [n.id, n])),
  numbersByAddress: new Map(NUMBERS.map((n) => [n.number, n])),
  extensions: new Map([
    [ALICE, { id: ALICE, extension: "101", name: "Alice", ...DEFAULT_AGENT_SETTINGS }],
    [BOB, { id: BOB, extension: "102", name: "Bob", ...DEFAULT_AGENT_SETTINGS }],
    [CAROL, { id: CAROL, extension: "103", name: "Carol", ...DEFAULT_AGENT_SETTINGS }],
  ]),
  queues: new Map([
    [QUEUE, {
      id: QUEUE,
      name: "Sales",
      ...DEFAULT_DISTRIBUTION,
      members: new Set([ALICE, BOB]),
      calendarId: null,
      texts: {},
      inCall: {},
    }],
  ]),
  platforms: new Map([
    [PLATFORM, {
      id: PLATFORM,
      name: "Bot",
      enabled: true,
      endpoint: null,
      secret: null,
      deadlineSeconds: null,
      holdSeconds: null,
      fallback: null,
      natsKey: null,
    }],
  ]),
};

/** The same with other settings of the queue. */
export function withQueue(settings: Partial<MessageQueue>, directory = DIRECTORY): Directory {
  const queue = { ...directory.queues.get(QUEUE)!, ...settings };
  return { ...directory, queues: new Map([...directory.queues, [QUEUE, queue]]) };
}
