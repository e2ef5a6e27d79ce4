/**
 * Contacts that write over the channel's webhook: signed, unique, over ten thousand conversations.
 *
 * @module
 */
import { stampedText } from "./event_listener.ts";
import type { Installation } from "./installation.ts";
import { type Generator, type GeneratorResult, startGenerator } from "./simulator/generator.ts";

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
  readonly seconds: number;
  readonly connections: number;
  /** @default 1500 */
  readonly warmupMs?: number;
  /** @default 10000 */
  readonly conversations?: number | undefined;
  /** @default 0 */
  readonly firstContact?: number;
}

/** Lets contacts write. */
export function letContactsWrite(options: ContactsOptions): Generator {
  return startGenerator({
    provider: "twilio",
    url: options.webhookUrl,
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    numbers: options.numbers,
    conversations: options.conversations ?? CONVERSATIONS,
    firstContact: options.firstContact ?? 0,
    connections: options.connections,
    warmupMs: options.warmupMs ?? WARMUP_MS,
    seconds: options.seconds,
    text: stampedText,
    ...(options.rateMps === null ? {} : { rateMps: options.rateMps }),
  });
}

/** One message in every conversation, as fast as it goes. */
export function openConversations(
  { webhookUrl, numbers }: Pick<Installation, "webhookUrl" | "numbers">,
  connections: number,
  conversations = CONVERSATIONS,
): Promise<GeneratorResult> {
  return startGenerator({
    provider: "twilio",
    url: webhookUrl,
    numbers,
    conversations,
    connections,
    messages: conversations,
    warmupMs: 0,
    text: stampedText,
  }).done;
}

/** Refuses a run in which anything but the wanted answers came: its figures would not mean what they say. */
export function assertClean(result: GeneratorResult): void {
  if (result.refused > 0 || result.broken > 0) {
    const answers = JSON.stringify({ statuses: result.statuses, breaks: result.breaks });
    throw new Error(`${result.refused} messages were refused and ${result.broken} got no answer: ${answers}`);
  }
}
