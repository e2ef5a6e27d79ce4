/**
 * A supervisor's word to an agent, as an event.
 *
 * @module
 */
import { singleKey } from "../../../core/command_key.ts";
import type { ApiKey } from "../../../core/directory.ts";
import { NO_CHANNEL, type PatchbayEvent } from "../../../core/events.ts";
import { hashedId } from "../../../core/ids.ts";
import { UnavailableError } from "../../../core/ports/ingress.ts";

/** Resolves when the event is in its stream. */
export type TellAgent = (event: PatchbayEvent) => Promise<void>;

export interface AgentMessage {
  readonly key: ApiKey;
  readonly extensionId: string;
  readonly text: string;
  readonly atMs: number;
  readonly idempotencyKey: string | undefined;
}

/** The event; the same idempotency key gives the same id, by which the stream knows a repeat. */
export function agentMessage(
  { key, extensionId, text, atMs, idempotencyKey }: AgentMessage,
): PatchbayEvent {
  return {
    id: hashedId("event", key.id, extensionId, idempotencyKey ?? singleKey(atMs)),
    type: "agent.message",
    atMs,
    channelId: NO_CHANNEL,
    number: NO_CHANNEL,
    audience: { extensionId },
    data: { extensionId, text, from: { kind: "key", id: key.id, name: key.name } },
  };
}

const TIMEOUT_MS = 5_000;

/** `publish` goes on until it works; a person is told that it does not. */
export function tellingAgents(publish: TellAgent): TellAgent {
  return async (event) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new UnavailableError("the event stream cannot be reached now")),
        TIMEOUT_MS,
      );
    });
    try {
      await Promise.race([publish(event), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
