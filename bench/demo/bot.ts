/**
 * A scripted bot platform: answers at once, and after a few messages closes or hands over to the queue.
 *
 * @module
 */
import type { DemoInstallation } from "./demo_installation.ts";
import type { DemoEvent } from "./event_stream.ts";
import { Worker } from "./worker.ts";

export interface BotOptions {
  readonly installation: DemoInstallation;
  readonly onFault: (error: unknown) => void;
  readonly seed: number;
  readonly signal: AbortSignal;
}

const ANSWERS_BEFORE_END = 2;
const TO_PEOPLE_SHARE = 0.5;

/** A bot at work until the signal. */
export function scriptedBot({ installation, onFault, seed, signal }: BotOptions): Worker {
  const { api, platformId } = installation.bot;
  const answers = new Map<string, number>();
  const act = async (event: DemoEvent, worker: Worker) => {
    const { sessionId } = event.data;
    if (event.type !== "message.received" || !sessionId || event.platformid !== platformId) return;
    if (!await worker.think(50, 200)) return;
    const path = `/v1/sessions/${sessionId}`;
    const count = (answers.get(sessionId) ?? 0) + 1;
    if (count <= ANSWERS_BEFORE_END) {
      answers.set(sessionId, count);
      await api.post(`${path}/messages`, { text: `Order bot: your order is in step ${count} of 3.` });
      return;
    }
    answers.delete(sessionId);
    if (worker.chance(TO_PEOPLE_SHARE)) {
      await api.post(`${path}/messages`, { text: "Order bot: a colleague takes over." });
      await api.post(`${path}/transfer`, {
        to: { kind: "queue", id: installation.queueId },
        note: "Asked three times",
      });
    } else {
      await api.post(`${path}/messages`, { text: "Order bot: it has arrived. Goodbye!" });
      await api.post(`${path}/close`);
    }
  };
  return new Worker({ api, onEvent: act, onFault, seed, signal });
}
