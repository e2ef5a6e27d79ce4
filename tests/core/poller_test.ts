import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { EMPTY_DIRECTORY } from "../../core/directory.ts";
import type { ConversationEntry } from "../../core/entry.ts";
import type { MessageError } from "../../core/errors.ts";
import { Poller, type PollerOptions, pollPauseMs, type PutAside } from "../../core/polling/poller.ts";
import { UnavailableError } from "../../core/ports/ingress.ts";
import type { PollStep } from "../../core/ports/poll_store.ts";
import type { ProviderPoll } from "../../core/ports/provider.ts";
import { channelOf } from "../providers/support.ts";
import { fakeProvider } from "../support/fake_provider.ts";
import { until } from "../support/until.ts";

const NUMBER = "+14155550199";

/** A clock that stands still until it is moved; what is due then runs at once. */
class HandClock {
  #ms = 0;
  #timers: { dueMs: number; run: () => void }[] = [];

  now = () => 1_767_323_045_000 + this.#ms;
  monotonic = () => this.#ms;
  after = (delayMs: number, run: () => void) => {
    const timer = { dueMs: this.#ms + delayMs, run };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((one) => one !== timer));
  };

  /** Moves on in steps, letting what was begun in each come to its end. */
  async move(ms: number): Promise<void> {
    for (const endMs = this.#ms + ms; this.#ms < endMs;) {
      this.#ms = Math.min(endMs, this.#ms + 250);
      const due = this.#timers.filter((timer) => timer.dueMs <= this.#ms);
      this.#timers = this.#timers.filter((timer) => timer.dueMs > this.#ms);
      for (const timer of due) timer.run();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

/** A provider that gives one message a poll; `marks` are what the fetches began with. */
function prepared(over: Partial<PollerOptions> = {}) {
  const clock = new HandClock();
  const marks: (string | null)[] = [];
  const entries: ConversationEntry[] = [];
  const aside: PutAside[] = [];
  const results: (MessageError | null)[] = [];
  const state = { owned: true, mark: null as string | null, isUp: true, isTaken: true, number: NUMBER };
  const poll: ProviderPoll = {
    name: "inbox",
    intervalMs: () => 1_000,
    build: (_channel, mark) => {
      marks.push(mark);
      return { method: "GET", url: "http://gateway.test/", headers: {} };
    },
    read: (_answer, _channel, mark) => ({
      kind: "polled",
      inbound: [{
        number: state.number,
        contact: "+14155550100",
        text: "Hi",
        media: [],
        providerId: String(Number(mark ?? 0) + 1),
      }],
      reports: [],
      mark: String(Number(mark ?? 0) + 1),
      more: false,
    }),
  };
  const channel = channelOf("fake", {});
  const number = { number: NUMBER, channelId: channel.id, direction: "both" };
  const directory = {
    ...EMPTY_DIRECTORY,
    channels: new Map([[channel.id, channel]]),
    numbersByAddress: new Map([[NUMBER, number as never]]),
  };
  const poller = new Poller({
    directory: { current: () => directory, onChange: () => () => {} },
    providers: new Map([["fake", { ...fakeProvider, polls: [poll] }]]),
    owns: () => state.owned,
    call: () =>
      Promise.resolve(
        state.isUp
          ? { kind: "answered", answer: { status: 200, headers: {}, body: "" } } as const
          : { kind: "not-connected", reason: "the gateway is away" } as const,
      ),
    ingress: {
      refusal: () => null,
      append: (entry) =>
        state.isTaken
          ? Promise.resolve(void entries.push(entry))
          : Promise.reject(new UnavailableError("the broker is away")),
      appendReport: () => Promise.resolve(),
      execute: () => Promise.reject(new Error("not here")),
    },
    store: {
      mark: () => Promise.resolve(state.mark),
      keep: ({ after }: PollStep) => Promise.resolve(void (state.mark = after)),
      openSends: () => Promise.resolve([]),
      forgetSends: () => Promise.resolve(),
    },
    clock,
    putAside: (what) => Promise.resolve(void aside.push(what)),
    onPolled: (_channel, _poll, error) => results.push(error),
    ...over,
  });
  return { poller, clock, state, marks, entries, aside, results };
}

Deno.test("a poll goes on from its mark, which moves once everything is durable", async () => {
  const { poller, clock, state, marks, entries, results } = prepared();
  poller.start();
  await clock.move(1_250);
  deepStrictEqual(marks, [null, "1"]);
  state.isTaken = false;
  await clock.move(1_000);
  deepStrictEqual(marks, [null, "1", "2"]);
  strictEqual(state.mark, "2", "what was not taken is fetched again");
  strictEqual(results.at(-1)?.class, "provider-error");
  state.isTaken = true;
  await clock.move(2_250);
  strictEqual(marks.at(-1), "2");
  strictEqual(entries.length, 3);
  strictEqual(new Set(entries.map((entry) => entry.key)).size, 3);
  await poller.stop();
});

Deno.test("a provider that is away is asked after growing pauses", async () => {
  const { poller, clock, state, marks, results } = prepared();
  state.isUp = false;
  poller.start();
  await clock.move(16_000);
  // At 0, 2, 6 and 14 s: each failure doubles the pause.
  strictEqual(marks.length, 4);
  strictEqual(results[0]?.reason, "the gateway is away");
  state.isUp = true;
  await clock.move(15_000);
  strictEqual(results.at(-1), null);
  deepStrictEqual([pollPauseMs(1_000, 0), pollPauseMs(1_000, 3), pollPauseMs(1_000, 99)], [
    1_000,
    8_000,
    300_000,
  ]);
  strictEqual(pollPauseMs(3_600_000, 5), 3_600_000);
  await poller.stop();
});

Deno.test("only the owner of the channel's lane polls", async () => {
  const { poller, clock, state, marks } = prepared();
  state.owned = false;
  poller.start();
  await clock.move(5_000);
  strictEqual(marks.length, 0);
  state.owned = true;
  await clock.move(250);
  strictEqual(marks.length, 1);
  state.owned = false;
  await clock.move(5_000);
  strictEqual(marks.length, 1);
  await poller.stop();
});

Deno.test("what came to a number that is not the channel's is put aside, and can be replayed", async () => {
  const { poller, clock, state, entries, aside } = prepared();
  state.number = "+14155550177";
  poller.start();
  await clock.move(250);
  await until("it is put aside", () => aside.length > 0);
  deepStrictEqual([entries.length, aside[0]?.kind], [0, "unappliable"]);
  ok(JSON.parse(aside[0]!.payload).number === "+14155550177");
  await poller.stop();
});
