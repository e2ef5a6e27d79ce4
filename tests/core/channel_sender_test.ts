import assert from "node:assert/strict";
import fc from "fast-check";
import { PRIORITY } from "../../core/message.ts";
import type { Clock } from "../../core/ports/clock.ts";
import { ChannelSender } from "../../core/send/channel_sender.ts";
import type { QueuedMessage } from "../../core/send/queued_message.ts";
import { RateGate } from "../../core/send/rate_gate.ts";
import type { SenderPort } from "../../core/send/sender_port.ts";
import { fakeProvider } from "../support/fake_provider.ts";
import { channelOf, conversationName, ownNumber, queuedMessage } from "../support/send_fixtures.ts";

const WALL_MS = 1_700_000_000_000;

/** Time that passes while code runs, too: each look at it finds it a little later. */
class WalkingClock implements Clock {
  readonly #tickMs: () => number;
  readonly #timers = new Map<number, { readonly dueMs: number; readonly run: () => void }>();
  #nowMs = 0;
  #made = 0;

  constructor(tickMs: () => number) {
    this.#tickMs = tickMs;
  }

  now(): number {
    return WALL_MS + Math.floor(this.#nowMs);
  }

  monotonic(): number {
    return this.#nowMs += this.#tickMs();
  }

  after(delayMs: number, run: () => void): () => void {
    const id = this.#made++;
    this.#timers.set(id, { dueMs: this.#nowMs + delayMs, run });
    return () => void this.#timers.delete(id);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /** Runs the timer that is due first; false when there is none. */
  next(): boolean {
    const [first] = [...this.#timers].sort(([a, x], [b, y]) => x.dueMs - y.dueMs || a - b);
    if (first === undefined) return false;
    const [id, { dueMs, run }] = first;
    this.#timers.delete(id);
    this.#nowMs = Math.max(this.#nowMs, dueMs);
    run();
    return true;
  }
}

/** Lets everything go on that waits for no timer. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

interface Durations {
  readonly claimMs: number;
  readonly callMs: number;
  readonly recordMs: number;
}

/** A store and a provider that take their time and refuse nothing. */
function portOf(
  clock: WalkingClock,
  { claimMs, callMs, recordMs }: Durations,
  onCall: () => void,
  onClaim: () => void = () => {},
): SenderPort {
  return {
    clock,
    random: () => 0.5,
    concurrencyMax: 64,
    numberOf: () => ownNumber(),
    statusUrl: () => "https://patchbay.example.test/",
    isSure: () => true,
    mayCall: () => true,
    call: async () => {
      onCall();
      await clock.sleep(callMs);
      return { kind: "answered", answer: { status: 200, headers: {}, body: "" } };
    },
    claim: async () => {
      onClaim();
      await clock.sleep(claimMs);
      return { kind: "claimed" };
    },
    record: async (message) => {
      await clock.sleep(recordMs);
      return message;
    },
    fallback: () => null,
    move: () => Promise.resolve(new Set()),
    refill: () => {},
    onSettled: () => {},
    onCircuit: () => {},
  };
}

function waiting(count: number): QueuedMessage[] {
  return Array.from({ length: count }, (_, index) =>
    queuedMessage(index, {
      conversation_id: conversationName(index),
      position: 1,
      priority: PRIORITY.bulk,
    }));
}

Deno.test("nothing that waits is forgotten, wherever time passes between two looks at the clock", async () => {
  const arbitrary = fc.record({
    rateMps: fc.double({ min: 5, max: 100, noNaN: true }),
    burst: fc.integer({ min: 1, max: 20 }),
    ticksMs: fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 1, maxLength: 50 }),
    durations: fc.record({
      claimMs: fc.integer({ min: 0, max: 10 }),
      callMs: fc.integer({ min: 0, max: 10 }),
      recordMs: fc.integer({ min: 0, max: 10 }),
    }),
  });
  await fc.assert(
    fc.asyncProperty(arbitrary, async ({ rateMps, burst, ticksMs, durations }) => {
      let looks = 0;
      const clock = new WalkingClock(() => ticksMs[looks++ % ticksMs.length]!);
      let calls = 0;
      const channel = channelOf({ rateMps, burst });
      const rate = new RateGate(channel.settings, clock.monotonic(), clock.now());
      const port = portOf(clock, durations, () => calls++);
      const sender = new ChannelSender(port, channel, fakeProvider, rate);
      sender.offer(waiting(50));
      sender.pump();
      for (await settled(); sender.scheduler.size > 0; await settled()) {
        assert.ok(
          clock.next(),
          `after ${calls} calls nothing would wake it, with ${sender.scheduler.size} left`,
        );
      }
      assert.equal(calls, 50);
    }),
    { numRuns: 200 },
  );
});

Deno.test("a rate is used up although claims take their time, with little claimed ahead", async () => {
  const settings = [
    { rateMps: 10, burst: 1, claimMs: 90, aheadMax: 3 },
    { rateMps: 50, burst: 1, claimMs: 35, aheadMax: 6 },
    { rateMps: 1_000, burst: 100, claimMs: 15, aheadMax: 41 },
  ];
  for (const { rateMps, burst, claimMs, aheadMax } of settings) {
    const clock = new WalkingClock(() => 0.002);
    const channel = channelOf({ rateMps, burst });
    const rate = new RateGate(channel.settings, clock.monotonic(), clock.now());
    const times: number[] = [];
    let claims = 0;
    let ahead = 0;
    const port = portOf(
      clock,
      { claimMs, callMs: 3, recordMs: 3 },
      () => times.push(clock.monotonic()),
      () => {
        claims++;
        // A burst that was saved up is claimed as a whole.
        if (times.length > burst) ahead = Math.max(ahead, claims - times.length);
      },
    );
    const sender = new ChannelSender(port, channel, fakeProvider, rate);
    sender.offer(waiting(Math.min(3_000, rateMps * 20)));
    sender.pump();
    const seconds = rateMps > 100 ? 2 : 10;
    for (await settled(); clock.monotonic() < (seconds + 1) * 1_000; await settled()) {
      assert.ok(clock.next(), "nothing would wake it");
    }
    const used = times.filter((atMs) => atMs >= 1_000 && atMs < (seconds + 1) * 1_000).length;
    const share = used / (rateMps * seconds);
    assert.ok(share >= 0.98 && share <= 1, `${rateMps}/s: ${(share * 100).toFixed(1)} % of the rate`);
    assert.ok(ahead <= aheadMax, `${rateMps}/s: ${ahead} claimed ahead`);
  }
});

Deno.test("what was claimed before others could take the lane is claimed anew before it is sent", async () => {
  const clock = new WalkingClock(() => 0.002);
  const channel = channelOf({ rateMps: 10, burst: 1 });
  const rate = new RateGate(channel.settings, clock.monotonic(), clock.now());
  let calls = 0;
  let claims = 0;
  let returned = 0;
  let isSure = true;
  const port: SenderPort = {
    ...portOf(clock, { claimMs: 1, callMs: 1, recordMs: 1 }, () => calls++, () => claims++),
    isSure: () => isSure,
    onSettled: (_message, _channel, settlement) => {
      if (settlement.kind === "returned") returned++;
    },
  };
  const sender = new ChannelSender(port, channel, fakeProvider, rate);
  sender.offer(waiting(10));
  sender.pump();
  const runUntil = async (isOver: () => boolean) => {
    for (await settled(); !isOver(); await settled()) {
      if (!clock.next()) return;
    }
  };
  await runUntil(() => calls === 3 && claims > calls);
  isSure = false;
  sender.pump();
  await runUntil(() => false);
  assert.equal(calls, 3, "no call while others may have the lane");
  assert.equal(returned, claims - calls);
  assert.ok(returned > 0);
  isSure = true;
  sender.pump();
  await runUntil(() => sender.scheduler.size === 0);
  assert.equal(calls, 10);
  assert.equal(claims, 10 + returned);
});

Deno.test("a claimed message that replies overtake is given back before its claim is old", async () => {
  const clock = new WalkingClock(() => 0.002);
  const claimedMs = new Map<string, number>();
  const ages: number[] = [];
  const port: SenderPort = {
    ...portOf(clock, { claimMs: 1, callMs: 1, recordMs: 1 }, () => {}),
    claim: (message) => {
      claimedMs.set(message.id, clock.monotonic());
      return Promise.resolve({ kind: "claimed" });
    },
    // Asked for right before the call.
    statusUrl: (_, id) => {
      ages.push(clock.monotonic() - claimedMs.get(id)!);
      return "https://patchbay.example.test/";
    },
  };
  const channel = channelOf({ rateMps: 4, burst: 1, replyShare: 0 });
  const rate = new RateGate(channel.settings, clock.monotonic(), clock.now());
  const sender = new ChannelSender(port, channel, fakeProvider, rate);
  sender.offer(waiting(1));
  sender.pump();
  for (await settled(); claimedMs.size === 0; await settled()) assert.ok(clock.next());
  // For a while more of them come than may leave.
  sender.offer(
    Array.from(
      { length: 20 },
      (_, n) => queuedMessage(100 + n, { conversation_id: conversationName(100 + n), position: 1 }),
    ),
  );
  sender.pump();
  for (await settled(); sender.scheduler.size > 0; await settled()) assert.ok(clock.next());
  assert.equal(ages.length, 21);
  assert.ok(Math.max(...ages) <= 1_250, `called ${Math.max(...ages)} ms after the claim`);
});

Deno.test("no message leaves long after its claim because calls take long, and all slots are used", async () => {
  const clock = new WalkingClock(() => 0.002);
  const claimedMs = new Map<string, number>();
  const ages: number[] = [];
  let claims = 0;
  const port: SenderPort = {
    ...portOf(clock, { claimMs: 0, callMs: 9_000, recordMs: 1 }, () => {}),
    claim: async (message) => {
      claims++;
      claimedMs.set(message.id, clock.monotonic());
      await clock.sleep(3);
      return { kind: "claimed" };
    },
    statusUrl: (_, id) => {
      ages.push(clock.monotonic() - claimedMs.get(id)!);
      return "https://patchbay.example.test/";
    },
  };
  const channel = channelOf({ rateMps: 1_000, burst: 100 });
  const rate = new RateGate(channel.settings, clock.monotonic(), clock.now());
  const sender = new ChannelSender(port, channel, fakeProvider, rate);
  sender.offer(waiting(1_000));
  sender.pump();
  for (await settled(); clock.monotonic() < 90_000; await settled()) assert.ok(clock.next());
  sender.stop();
  assert.ok(ages.length > 64 * 9.5, `${ages.length} calls`);
  assert.ok(Math.max(...ages) <= 1_000, `called ${Math.max(...ages)} ms after the claim`);
  assert.ok(claims < 2 * ages.length, `${claims} claims for ${ages.length} calls`);
});
