/**
 * Whole runs of the system in one process, each from its seed. What is simulated is what lies around the product's own
 * code: time, chance, the database, the broker, the provider, the people, and the deaths of processes.
 *
 * `PATCHBAY_SIMULATION_SEED=S` runs that seed alone and shows its last steps; `PATCHBAY_SIMULATION_SEEDS=N` runs so many,
 * from `PATCHBAY_SIMULATION_FROM=S` on.
 */
import { equal, notEqual, ok } from "node:assert/strict";
import { simulate } from "./simulation.ts";
import type { Mistake } from "./tables.ts";

const SHOWN_STEPS = 80;
const number = (name: string) => {
  const text = Deno.env.get(name);
  return text === undefined ? null : Number(text);
};
const ONLY = number("PATCHBAY_SIMULATION_SEED");
const FROM = ONLY ?? number("PATCHBAY_SIMULATION_FROM") ?? 1;
const SEEDS = ONLY === null ? number("PATCHBAY_SIMULATION_SEEDS") ?? 3_000 : 1;

Deno.test("whatever dies, pauses, is late, lost or repeated, every promise is kept", async () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed++) {
    const { faults, summary, trace } = await simulate(seed);
    if (ONLY !== null) console.log([...trace(SHOWN_STEPS), summary].join("\n"));
    if (faults.length === 0) continue;
    console.log(trace(SHOWN_STEPS).join("\n"));
    throw new Error(`PATCHBAY_SIMULATION_SEED=${seed} (${summary}):\n  ${faults.join("\n  ")}`);
  }
});

Deno.test("a run is a function of its seed", async () => {
  const first = await simulate(7);
  equal((await simulate(7)).fingerprint, first.fingerprint);
  notEqual((await simulate(8)).fingerprint, first.fingerprint);
});

/** Each found in so many seeds at most; without them the simulation would prove nothing. */
const MISTAKES: Readonly<Record<Mistake, { readonly seedsMax: number; readonly words: RegExp }>> = {
  "no-fencing": { seedsMax: 500, words: /./ },
  "cursor-apart": {
    seedsMax: 200,
    words: /accepted and lost|stored more than once|did not come to rest|people still wait/,
  },
  "forgets-uncertain": { seedsMax: 200, words: /sent-once: .*taken more than once/ },
  "counts-repeats": { seedsMax: 100, words: /statistics: .*counted wrongly/ },
  "ignores-opt-outs": { seedsMax: 200, words: /opt-outs: .*called after opting out/ },
  // What a restored log held in place of what was read is lost: messages, or reports of their delivery.
  "forgets-stored": {
    seedsMax: 500,
    words: /accepted and lost|stored and never told|neither delivered nor failed|did not come to rest/,
  },
  "no-outbox": { seedsMax: 100, words: /events: .*stored and never told|people still wait/ },
};

for (const [mistake, { seedsMax, words }] of Object.entries(MISTAKES)) {
  Deno.test(`the simulation finds out a database with the mistake ${mistake}`, async () => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const { faults } = await simulate(seed, mistake as Mistake);
      if (faults.length === 0) continue;
      ok(faults.some((fault) => words.test(fault)), `seed ${seed}: ${faults.join("; ")}`);
      console.log(`seed ${seed}: ${faults[0]}`);
      return;
    }
    throw new Error(`not found in ${seedsMax} seeds`);
  });
}
