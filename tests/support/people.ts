/**
 * People at work while a test kills what they work with: every command goes out under an idempotency key until it
 * has an answer, and what was promised is kept for the audit.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import type { Promised } from "../../bench/audit/run.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import type { Api } from "./api.ts";
import type { Agent } from "./configured.ts";
import { pause } from "./until.ts";

const INSIST_MS = 60_000;

/** Accepts whatever waits and answers it, under idempotency keys, until told to stop. */
export async function attend(
  { api, extension }: Agent,
  promised: Promised[],
  signal: AbortSignal,
): Promise<void> {
  for (let n = 1; !signal.aborted;) {
    const waiting = await api.get("/v1/sessions?state=waiting&limit=20").catch(() => null);
    for (const { id } of waiting?.items ?? []) {
      if (signal.aborted) return;
      const accepted = await api.insist(`/v1/sessions/${id}/accept`, {}, INSIST_MS);
      // The other agent was faster.
      if (accepted.status !== 200) continue;
      for (const part of ["first", "second"]) {
        const text = `${part} answer ${n++} of ${extension}`;
        const answer = await api.insist(`/v1/sessions/${id}/messages`, { text }, INSIST_MS);
        equal(answer.status, 201, answer.text);
        promised.push({ messageId: answer.body.messageId, text });
      }
      if (n % 3 === 0) await api.insist(`/v1/sessions/${id}/close`, {}, INSIST_MS);
    }
    await pause(50);
  }
}

/** Sends to contacts that never wrote, from numbers in turn. */
export async function notify(
  api: Api,
  numbers: readonly string[],
  promised: Promised[],
  signal: AbortSignal,
): Promise<void> {
  for (let n = 1; !signal.aborted; n++) {
    const text = `notice ${n}`;
    const body = { from: numbers[n % numbers.length], to: contactNumber(50_000 + n % 40), text };
    const answer = await api.insist("/v1/messages", body, INSIST_MS);
    // The routers hear of a new number a moment after the process that answered for it.
    if (answer.body?.code === "unknown-number") continue;
    equal(answer.status, 201, answer.text);
    promised.push({ messageId: answer.body.id, text });
    await pause(10);
  }
}
