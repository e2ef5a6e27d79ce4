/**
 * Contacts that write over the channel's webhook: signed, unique, over ten thousand conversations.
 *
 * @module
 */
import type { Installation } from "./installation.ts";
import { type Load, prepareLoad } from "./load/load.ts";
import type { LoadResult } from "./load/plan.ts";
import { inboundId, inboundRequest, webhookTarget } from "./simulator/contact.ts";
import { newRunHex } from "./simulator/ids.ts";
import { contactNumber } from "./simulator/numbers.ts";

export const CONVERSATIONS = 10_000;
const WARMUP_MS = 1_500;

export interface ContactsOptions {
  readonly webhookUrl: string;
  /** The URL that is signed, where it is not the one that is called. */
  readonly publicUrl?: string;
  readonly numbers: readonly string[];
  /** Null: as fast as the connections allow. */
  readonly rateMps: number | null;
  /** After the warm-up. */
  readonly seconds?: number;
  /** Ends after so many messages; as many as there are conversations are one in each. */
  readonly count?: number;
  readonly connections: number;
  /** @default 1500 */
  readonly warmupMs?: number;
  /** @default 10000 */
  readonly conversations?: number | undefined;
  /** @default 0 */
  readonly firstContact?: number;
}

/** Contacts that are ready to write. */
export interface Contacts extends Omit<Load, "leftMs"> {
  /** When the message with this text left, ms since 1970; null for texts of others and of the warm-up. */
  leftMs(text: string): number | null;
}

/** Prepares what contacts write. A conversation always uses the same connection, so its messages arrive in order. */
export async function prepareContacts(options: ContactsOptions): Promise<Contacts> {
  const { webhookUrl, publicUrl, numbers, rateMps, seconds, count, connections, firstContact = 0 } = options;
  const conversations = options.conversations ?? CONVERSATIONS;
  const lines = Math.min(connections, conversations);
  const runHex = newRunHex();
  const args: Writing = { webhookUrl, publicUrl, numbers, lines, conversations, firstContact, runHex };
  const load = await prepareLoad({
    origin: new URL(webhookUrl).origin,
    lines,
    requests: { module: import.meta.url, name: "contactRequests", args },
    rateMps,
    warmupMs: options.warmupMs ?? WARMUP_MS,
    ...(seconds === undefined ? {} : { seconds }),
    ...(count === undefined ? {} : { count }),
  });
  return {
    run: () => load.run(),
    get accepted() {
      return load.accepted;
    },
    leftMs: (text) => {
      const [, index, hex] = STAMP.exec(text) ?? [];
      return hex === runHex ? load.leftMs(Number(index)) : null;
    },
    [Symbol.dispose]: () => load[Symbol.dispose](),
  };
}

const STAMP = /^#(\d+) (\w+) /;

interface Writing {
  readonly webhookUrl: string;
  readonly publicUrl: string | undefined;
  readonly numbers: readonly string[];
  readonly lines: number;
  readonly conversations: number;
  readonly firstContact: number;
  readonly runHex: string;
}

/** What they write, for the load's thread. */
export function contactRequests(writing: Writing): (index: number) => string {
  const { webhookUrl, publicUrl, numbers, firstContact, runHex } = writing;
  const target = webhookTarget({
    provider: "twilio",
    url: webhookUrl,
    ...(publicUrl === undefined ? {} : { publicUrl }),
  });
  return (index) => {
    const conversation = conversationOf(index, writing);
    return inboundRequest(target, {
      id: inboundId(target.provider, runHex, index),
      from: contactNumber(firstContact + conversation),
      to: numbers[conversation % numbers.length]!,
      text: `#${index} ${runHex} a contact asks after an order`,
    });
  };
}

/** Each line goes round its own conversations: every `lines`-th. */
export function conversationOf(
  index: number,
  { lines, conversations }: Pick<Writing, "lines" | "conversations">,
): number {
  const line = index % lines;
  const own = Math.ceil((conversations - line) / lines);
  return line + lines * (Math.floor(index / lines) % own);
}

/** One message in every conversation, as fast as it goes. */
export async function openConversations(
  { webhookUrl, numbers }: Pick<Installation, "webhookUrl" | "numbers">,
  connections: number,
  conversations = CONVERSATIONS,
): Promise<LoadResult> {
  using contacts = await prepareContacts({
    webhookUrl,
    numbers,
    conversations,
    connections,
    count: conversations,
    rateMps: null,
    warmupMs: 0,
  });
  return await contacts.run();
}
