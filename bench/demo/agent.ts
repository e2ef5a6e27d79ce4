/**
 * A scripted agent: takes offers from the queue, answers, hands some over, closes.
 *
 * @module
 */
import type { DemoAgent } from "./demo_installation.ts";
import type { DemoEvent } from "./event_stream.ts";
import { Worker } from "./worker.ts";

export interface AgentOptions {
  readonly agent: DemoAgent;
  /** To whom some conversations are handed over. */
  readonly colleague: DemoAgent;
  readonly onFault: (error: unknown) => void;
  readonly seed: number;
  readonly signal: AbortSignal;
}

const ANSWERS = [
  "Hello! Let me look that up for you.",
  "Your order left our warehouse this morning.",
  "It should be with you tomorrow before noon.",
  "I have noted that. Is there anything else?",
  "You are welcome!",
];
const ANSWERS_BEFORE_CLOSE = 3;
const TRANSFER_SHARE = 0.08;

/** An agent at work until the signal. */
export function scriptedAgent({ agent, colleague, onFault, seed, signal }: AgentOptions): Worker {
  const answers = new Map<string, number>();
  const act = async (event: DemoEvent, worker: Worker) => {
    const { sessionId } = event.data;
    if (!sessionId) return;
    const path = `/v1/sessions/${sessionId}`;
    switch (event.type) {
      case "session.offered":
        if (await worker.think(300, 2_000)) await agent.api.post(`${path}/accept`, {});
        return await answer(sessionId, path, worker);
      case "session.closed":
        answers.delete(sessionId);
        return;
      case "message.received":
        if (event.extensionid === agent.extensionId) await answer(sessionId, path, worker);
        return;
    }
  };
  const answer = async (sessionId: string, path: string, worker: Worker) => {
    if (!await worker.think(400, 1_500)) return;
    if (worker.chance(TRANSFER_SHARE)) {
      const to = { kind: "extension", id: colleague.extensionId };
      await agent.api.post(`${path}/transfer`, { to, note: "Knows more about this order" });
      return;
    }
    await agent.api.post(`${path}/messages`, { text: worker.pick(ANSWERS) });
    const count = (answers.get(sessionId) ?? 0) + 1;
    answers.set(sessionId, count);
    if (count < ANSWERS_BEFORE_CLOSE) return;
    if (await worker.think(300, 1_000)) await agent.api.post(`${path}/close`);
  };
  return new Worker({ api: agent.api, onEvent: act, onFault, seed, signal });
}
