/** Which benches are run for those asked for. */
import { deepEqual, equal } from "node:assert/strict";
import type { Bench } from "../../bench/bench_context.ts";
import { estimateSeconds, runSuite, withNeeded } from "../../bench/suite.ts";
import { missedText } from "../../bench/table.ts";

const ALL = [
  { name: "ingest" },
  { name: "e2e", needs: ["ingest"] },
  { name: "send" },
  { name: "peers", needs: ["e2e", "send"] },
  { name: "bucket" },
];

Deno.test("what a bench is held against is run before it", () => {
  const names = (...asked: string[]) => withNeeded(ALL, asked).map(({ name }) => name);
  deepEqual(names("peers"), ["ingest", "e2e", "send", "peers"]);
  deepEqual(names("bucket", "send"), ["send", "bucket"]);
  deepEqual(names(), []);
});

Deno.test("a bench that breaks off is said, and does not keep the others from being run", async () => {
  const takes = { firstSeconds: 10, laterSeconds: 3 };
  const broken: Bench = { name: "e2e", about: "", takes, run: () => Promise.reject(new Error("no disk")) };
  const sound: Bench = {
    name: "send",
    about: "",
    takes,
    run: ({ run }) => Promise.resolve({ rows: [{ what: "sent", rateMps: run * 100 }], notes: [] }),
  };
  const once: Bench = { ...sound, name: "state", once: true };
  const report = await runSuite({
    benches: [broken, sound, once],
    runs: 3,
    repeatAll: false,
    quick: true,
    seconds: null,
    messages: null,
    connections: 1,
    partitions: 8,
    json: undefined,
    profile: undefined,
  });
  equal(estimateSeconds({ benches: [broken, sound, once], runs: 3, repeatAll: false }), 16 + 16 + 10);
  deepEqual(report.benches.map(({ name, runs }) => [name, runs]), [["e2e", 3], ["send", 3], ["state", 1]]);
  deepEqual(report.benches.map(({ rows }) => rows[0]!.rateMps), [null, 200, 100]);
  equal(report.benches[0]!.rows[0]!.notRun, "no disk");
  deepEqual(missedText(report), ["e2e: broke off: no disk"]);
});
