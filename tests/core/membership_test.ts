import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { assign } from "../../core/membership/assignment.ts";
import {
  candidates,
  CUT_UNSURE_AFTER_MS,
  DEAD_AFTER_MS,
  HEARTBEAT_MS,
  Liveness,
  type MemberInfo,
  MISSED_AFTER_MS,
  UNSURE_AFTER_MS,
  untilNextSign,
} from "../../core/membership/liveness.ts";
import { plan } from "../../core/membership/plan.ts";

const members = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 });
const partitions = fc.integer({ min: 1, max: 64 });

function shares(wished: readonly string[], names: readonly string[]): number[] {
  return names.map((name) => wished.filter((member) => member === name).length);
}

function moved(before: readonly string[], after: readonly string[]): number {
  return before.filter((member, partition) => member !== after[partition]).length;
}

Deno.test("each partition is wished for one member, the shares differ by one at most, whatever the order of the members", () => {
  fc.assert(fc.property(members, partitions, fc.integer(), (names, count, seed) => {
    const wished = assign("route", count, names);
    equal(wished.length, count);
    ok(wished.every((member) => names.includes(member)));
    const counts = shares(wished, names);
    ok(Math.max(...counts) - Math.min(...counts) <= 1, `shares ${counts}`);
    const shuffled = [...names].sort((a, b) => (a.charCodeAt(0) * seed % 7) - (b.charCodeAt(0) * seed % 7));
    deepEqual(assign("route", count, [...shuffled, ...names]), wished);
  }));
  deepEqual(assign("route", 32, []), []);
});

Deno.test("when a member comes or goes, little moves beside what has to", () => {
  let worst = 0;
  let sum = 0;
  let least = 0;
  const names = fc.uniqueArray(fc.stringMatching(/^[0-9a-f]{12}$/), {
    minLength: 2,
    maxLength: 9,
  });
  fc.assert(
    fc.property(names, (all) => {
      const [last, ...rest] = all as [string, ...string[]];
      const before = assign("route", 32, rest);
      const after = assign("route", 32, all);
      const needed = after.filter((member) => member === last).length;
      const count = moved(before, after);
      ok(count >= needed);
      worst = Math.max(worst, count / needed);
      sum += count;
      least += needed;
    }),
    { numRuns: 500 },
  );
  console.log(
    `moved on a join or a leave: ${(sum / least).toFixed(2)} times the least, ${worst.toFixed(2)} at worst`,
  );
  ok(sum / least < 1.6, `${sum} moves where ${least} were needed`);
  ok(worst <= 4, `${worst} times the least`);
});

const info = (id: string, changes: Partial<MemberInfo> = {}): MemberInfo => ({
  id,
  roles: ["router"],
  version: "1",
  host: "here",
  port: 1,
  startedMs: 0,
  leaving: false,
  ...changes,
});

Deno.test("a member is alive for two seconds after each sign, and one that says good-bye is gone at once", () => {
  const liveness = new Liveness();
  ok(liveness.see(info("a"), 1_000), "it came");
  ok(!liveness.see(info("a"), 1_500), "nothing new");
  ok(liveness.isAlive("a", 1_500 + DEAD_AFTER_MS - 1));
  ok(!liveness.isAlive("a", 1_500 + DEAD_AFTER_MS));
  ok(liveness.see(info("a"), 5_000), "it came again");
  ok(!liveness.see(info("a"), 4_000), "an older sign says nothing");
  ok(liveness.isAlive("a", 6_999));
  ok(liveness.see(info("a", { leaving: true }), 6_000), "it says something new");
  deepEqual(candidates(liveness.living(6_000), "router"), []);
  ok(liveness.isAlive("a", 6_000), "what it owns is still its own");
  ok(liveness.leave("a"));
  ok(!liveness.isAlive("a", 6_001));
  ok(UNSURE_AFTER_MS < DEAD_AFTER_MS);
});

Deno.test("who could not hear takes nobody for dead before the full time has passed again", () => {
  const liveness = new Liveness();
  liveness.see(info("a"), 0);
  liveness.see(info("b", { roles: ["sender"] }), 0);
  liveness.resume(9_000);
  deepEqual(liveness.living(10_000).map(({ info }) => info.id), ["a", "b"]);
  deepEqual(candidates(liveness.living(10_000), "sender"), ["b"]);
  deepEqual(liveness.living(11_000), []);
});

Deno.test("a silent member whose name nobody answers to is gone before its time is over", () => {
  const liveness = new Liveness();
  const answering = (id: string) => info(id, { answers: true });
  for (const id of ["killed", "heard", "asked too soon"]) liveness.see(answering(id), 0);
  liveness.see(info("older version"), 0);
  deepEqual(liveness.missed(MISSED_AFTER_MS - 1), []);
  deepEqual(liveness.missed(MISSED_AFTER_MS), ["killed", "heard", "asked too soon"]);
  liveness.see(answering("heard"), MISSED_AFTER_MS + 10);
  ok(liveness.unreachable("killed", MISSED_AFTER_MS));
  ok(!liveness.isAlive("killed", MISSED_AFTER_MS + 20));
  ok(!liveness.unreachable("heard", MISSED_AFTER_MS), "a sign came after the question");
  ok(!liveness.unreachable("asked too soon", MISSED_AFTER_MS - 1));
  ok(!liveness.unreachable("older version", MISSED_AFTER_MS), "it answers to nothing while it lives");
  ok(!liveness.unreachable("nobody", MISSED_AFTER_MS));
  ok(liveness.see(answering("killed"), MISSED_AFTER_MS + 30), "it came again");
});

Deno.test("who could not hear asks for nobody before it has heard of them again", () => {
  const liveness = new Liveness();
  liveness.see(info("a", { answers: true }), 0);
  liveness.resume(5_000);
  deepEqual(liveness.missed(5_000 + MISSED_AFTER_MS), []);
  ok(!liveness.unreachable("a", 5_000 + MISSED_AFTER_MS), "it may be connecting anew as well");
  liveness.see(info("a", { answers: true }), 6_000);
  deepEqual(liveness.missed(6_000 + MISSED_AFTER_MS), ["a"]);
});

Deno.test("a member that cannot be heard stops before anyone may take it for dead", () => {
  ok(CUT_UNSURE_AFTER_MS > HEARTBEAT_MS && CUT_UNSURE_AFTER_MS < MISSED_AFTER_MS);
  ok(MISSED_AFTER_MS > HEARTBEAT_MS && MISSED_AFTER_MS < DEAD_AFTER_MS);
});

Deno.test("the dead are buried once", () => {
  const liveness = new Liveness();
  liveness.see(info("a"), 0);
  liveness.see(info("b"), 1_000);
  ok(!liveness.bury(DEAD_AFTER_MS - 1));
  ok(liveness.bury(DEAD_AFTER_MS));
  ok(!liveness.bury(DEAD_AFTER_MS));
  deepEqual(liveness.living(DEAD_AFTER_MS).map(({ info }) => info.id), ["b"]);
});

Deno.test("what is done about partitions: free and dead ones are taken, living owners are waited for, fences are obeyed", () => {
  const owner = fc.constantFrom(null, "me", "alive", "dead");
  const row = fc.record({ owner, epoch: fc.nat(9), wished: fc.boolean(), heldEpoch: fc.option(fc.nat(9)) });
  fc.assert(fc.property(fc.array(row, { maxLength: 40 }), fc.nat(6_000), (list, waitedMs) => {
    const held = new Map(
      list.flatMap(({ heldEpoch }, partition) => heldEpoch === null ? [] : [[partition, heldEpoch]]),
    );
    const done = plan({
      me: "me",
      wished: list.map(({ wished }) => wished ? "me" : "alive"),
      rows: list.map(({ owner, epoch }, partition) => ({ partition, epoch, owner })),
      held,
      isAlive: (member) => member !== "dead",
      waitedMs: () => waitedMs,
      handOffMsMax: 3_000,
    });
    const taken = new Set(done.take.map(({ partition }) => partition));
    const awaited = new Set(done.awaited.map(({ partition }) => partition));
    for (const [partition, { owner, epoch, wished, heldEpoch }] of list.entries()) {
      const isOurs = heldEpoch !== null && heldEpoch === epoch && owner === "me";
      equal(done.lost.includes(partition), heldEpoch !== null && !isOurs);
      equal(done.release.includes(partition), isOurs && !wished);
      const isWanted = heldEpoch === null && wished;
      const mustWait = owner === "alive" && waitedMs <= 3_000;
      equal(taken.has(partition), isWanted && !mustWait);
      equal(awaited.has(partition), isWanted && mustWait);
    }
    ok(done.take.every(({ partition, epoch }) => list[partition]!.epoch === epoch));
  }));
});

Deno.test("members with the same time give their signs together, each within one heartbeat", () => {
  fc.assert(fc.property(fc.nat({ max: 4e12 }), fc.nat({ max: HEARTBEAT_MS - 1 }), (beat, laterMs) => {
    const startMs = beat - beat % HEARTBEAT_MS;
    const delayMs = untilNextSign(startMs + laterMs);
    ok(delayMs > 0 && delayMs <= HEARTBEAT_MS);
    equal(startMs + laterMs + delayMs, startMs + HEARTBEAT_MS);
  }));
});
