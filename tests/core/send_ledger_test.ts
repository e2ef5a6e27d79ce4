import { deepEqual, equal } from "node:assert/strict";
import type { Clock } from "../../core/ports/clock.ts";
import type { PartitionStore } from "../../core/ports/partition_store.ts";
import type { ClaimAnswer, LaneFence, SendStore } from "../../core/ports/send_store.ts";
import { sendLaneOf } from "../../core/send/queued_message.ts";
import { SendLedger } from "../../core/send/send_ledger.ts";
import { CHANNEL_ID, queuedMessage } from "../support/send_fixtures.ts";

const LANE = sendLaneOf(CHANNEL_ID);

/** Statements of the ledger, answered by the test. */
interface Asked {
  readonly lanes: readonly LaneFence[];
  readonly ids: readonly string[];
  readonly answer: (answer: ClaimAnswer) => void;
}

function ledgerOf(asked: Asked[], fenced: number[]): SendLedger {
  const clock: Clock = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  return new SendLedger({
    store: {
      claim: (lanes, items) => {
        const { promise, resolve } = Promise.withResolvers<ClaimAnswer>();
        asked.push({ lanes, ids: items.map(({ id }) => id), answer: resolve });
        return promise;
      },
    } as Partial<SendStore> as SendStore,
    partitions: { loadOutbox: () => Promise.resolve([]) } as Partial<PartitionStore> as PartitionStore,
    publish: () => Promise.resolve(),
    clock,
    onFenced: (lanes) => fenced.push(...lanes),
    onError: () => {},
  });
}

const owned = (epoch: number) => [
  { partition: LANE, epoch, cursor: 0, cursorStored: null, logCreated: null },
];
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
const NOTHING = { held: new Set<number>(), changed: new Set<string>(), optedOut: new Set<string>() };

Deno.test("a claim of a former epoch that is refused costs a lane nothing that was gained again meanwhile", async () => {
  const asked: Asked[] = [];
  const fenced: number[] = [];
  const ledger = ledgerOf(asked, fenced);
  ledger.add(owned(1));
  const early = ledger.claim(queuedMessage(1), 1);
  await turn();
  deepEqual(asked.map(({ lanes }) => lanes), [[{ lane: LANE, epoch: 1 }]]);
  // Another process took the lane and gave it back before the statement was carried out.
  ledger.remove([LANE]);
  ledger.add(owned(3));
  asked[0]!.answer(NOTHING);
  deepEqual(await early, { kind: "failed" });
  deepEqual([ledger.epochOf(LANE), fenced], [3, []]);
  const message = queuedMessage(2);
  const next = ledger.claim(message, ledger.epochOf(LANE));
  await turn();
  deepEqual(asked[1]?.lanes, [{ lane: LANE, epoch: 3 }]);
  asked[1]!.answer({ ...NOTHING, held: new Set([LANE]), changed: new Set([message.id]) });
  deepEqual(await next, { kind: "claimed" });
  await ledger.close();
});

Deno.test("a claim that is refused under the lane's epoch drops the lane and says so", async () => {
  const asked: Asked[] = [];
  const fenced: number[] = [];
  const ledger = ledgerOf(asked, fenced);
  ledger.add(owned(1));
  const claim = ledger.claim(queuedMessage(1), 1);
  await turn();
  asked[0]!.answer(NOTHING);
  deepEqual(await claim, { kind: "failed" });
  deepEqual(fenced, [LANE]);
  equal(ledger.epochOf(LANE), -1);
  await ledger.close();
});
