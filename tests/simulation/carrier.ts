/**
 * The provider of the simulation: takes messages and then loses the answer, refuses, throttles, hangs, is slow, and
 * reports early, late, twice and in any order.
 *
 * @module
 */
import { z } from "zod";
import type { Channel } from "../../core/channel.ts";
import type { HttpAnswer, HttpCall, Provider } from "../../core/ports/provider.ts";
import type { CallOutcome } from "../../core/ports/provider_call.ts";
import type { ReportEntry } from "../../core/entry.ts";
import type { CallRecord } from "../../bench/simulator/record.ts";
import type { Process, World } from "./world.ts";

/** What a report says, before it has come in. */
export type Report = Omit<ReportEntry, "at" | "kind">;

export const provider: Provider = {
  kind: "simulated",
  title: "Simulated",
  credentials: z.object({}),
  defaults: {},
  supports: { mms: false, deliveryReports: true, signature: false, idempotency: false },
  description: {
    docsUrl: "https://docs.example.test",
    authentication: "nothing comes from it",
    facts: [],
    errors: [],
  },
  parseWebhook: () => ({ kind: "refused", why: "malformed", reason: "webhooks do not come over HTTP here" }),
  buildSend: ({ id, from, to, text }) => ({
    method: "POST",
    url: "http://carrier.test/",
    headers: {},
    body: JSON.stringify({ id, from, to, text }),
  }),
  readSend: ({ status, headers, body }) => {
    const reason = `answered ${status}`;
    if (status < 300) return { kind: "accepted", providerId: body };
    if (status !== 429) {
      return { kind: "failed", error: { class: status < 500 ? "rejected" : "provider-error", reason } };
    }
    const retryAfter = headers["retry-after"];
    const error = { class: "throttled", reason } as const;
    return {
      kind: "failed",
      error,
      ...(retryAfter === undefined ? {} : { retryAfterMs: Number(retryAfter) * 1_000 }),
    };
  },
  buildVerify: () => null,
  readVerify: () => ({ ok: true, reason: "" }),
};

/** Shares of the calls that go wrong. */
export interface CarrierFaults {
  readonly unreached: number;
  /** The request is lost on the way, and nobody knows. */
  readonly lost: number;
  /** Taken, and the answer lost. */
  readonly takenUnanswered: number;
  /** Arrived, not taken, never answered. */
  readonly hung: number;
  readonly error: number;
  readonly throttled: number;
  readonly refused: number;
  /** Answered after a second or several: sometimes too late. */
  readonly slow: number;
}

export const SOUND_CARRIER: CarrierFaults = {
  unreached: 0,
  lost: 0,
  takenUnanswered: 0,
  hung: 0,
  error: 0,
  throttled: 0,
  refused: 0,
  slow: 0,
};

export class Carrier {
  readonly calls: CallRecord[] = [];
  /** Reports that are still to be made. */
  waiting = 0;
  faults: CarrierFaults = SOUND_CARRIER;
  readonly #world: World;
  readonly #report: (report: Report) => void;
  /** Share of the messages that are never reported on. */
  readonly #silent: number;

  constructor(world: World, silent: number, report: (report: Report) => void) {
    this.#world = world;
    this.#silent = silent;
    this.#report = report;
  }

  /** One call; never rejects. */
  call(from: Process, channel: Channel, call: HttpCall): Promise<CallOutcome> {
    const world = this.#world;
    const { promise, resolve } = Promise.withResolvers<CallOutcome>();
    const answer = (delayMs: number, outcome: CallOutcome) => {
      world.after(delayMs, () => from.hear(() => resolve(outcome)));
    };
    const { timeoutMs } = channel.settings;
    const timeout: CallOutcome = { kind: "lost", cause: "timeout", reason: "no answer in time" };
    const broken: CallOutcome = { kind: "lost", cause: "broken", reason: "the connection broke" };
    const fate = this.#fate();
    if (fate === "unreached") {
      answer(world.between(1, 100), { kind: "not-connected", reason: "connection refused" });
      return promise;
    }
    if (fate === "lost") {
      answer(world.chance(0.5) ? timeoutMs : world.between(5, 50), broken);
      return promise;
    }
    // The way there differs little: what the rate's slack allows for.
    world.after(world.between(1, 9), () => {
      const taken = fate === "taken" || fate === "takenUnanswered" || fate === "slow";
      const status = taken ? 201 : fate === "error" ? 500 : fate === "throttled" ? 429 : 400;
      const isAnswered = fate !== "takenUnanswered" && fate !== "hung";
      const providerId = `P${this.calls.length + 1}`;
      this.#record(call, channel, taken ? providerId : null, isAnswered ? status : "hang");
      if (!isAnswered) return answer(world.chance(0.5) ? timeoutMs : world.between(5, 50), broken);
      const backMs = fate === "slow" ? world.between(500, 1.5 * timeoutMs) : world.between(1, 30);
      const headers: HttpAnswer["headers"] = fate === "throttled" && world.chance(0.5)
        ? { "retry-after": "1" }
        : {};
      if (backMs >= timeoutMs) answer(timeoutMs, timeout);
      else answer(backMs, { kind: "answered", answer: { status, headers, body: providerId } });
    });
    return promise;
  }

  #fate(): keyof CarrierFaults | "taken" {
    let left = this.#world.random();
    for (const [fate, share] of Object.entries(this.faults) as [keyof CarrierFaults, number][]) {
      if (left < share) return fate;
      left -= share;
    }
    return "taken";
  }

  #record(call: HttpCall, channel: Channel, providerId: string | null, answer: number | "hang"): void {
    const { id, from, to, text } = JSON.parse(call.body!);
    this.#world.note("carrier", `${providerId === null ? "does not take" : "takes"} ${id}, answer ${answer}`);
    this.calls.push({
      sequence: this.calls.length + 1,
      atMs: this.#world.nowMs,
      provider: "twilio",
      from,
      to,
      text,
      textHash: 0,
      messageId: id,
      providerId,
      accepted: providerId !== null,
      answer,
      code: null,
    });
    if (providerId !== null && !this.#world.chance(this.#silent)) this.#reportOn(channel.id, id, providerId);
  }

  /** `sent` in most cases, then an end; each may come twice, and either may be the first. */
  #reportOn(channelId: string, messageId: string, providerId: string): void {
    const world = this.#world;
    const named = world.chance(0.7) ? { messageId, providerId } : { providerId };
    const failed = { class: "unreachable", reason: "the handset is off" };
    const end = world.chance(0.85)
      ? { channelId, ...named, status: "delivered" as const }
      : { channelId, ...named, status: "undelivered" as const, error: failed };
    const reports: Report[] = world.chance(0.8) ? [{ channelId, ...named, status: "sent" }, end] : [end];
    for (const report of reports) {
      for (let copies = world.chance(0.15) ? 2 : 1; copies > 0; copies--) {
        this.waiting++;
        world.after(world.chance(0.2) ? world.between(0, 3) : world.between(0, 4_000), () => {
          this.waiting--;
          this.#report(report);
        });
      }
    }
  }
}
