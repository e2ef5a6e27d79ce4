/** Which benches are run for those asked for. */
import { deepEqual } from "node:assert/strict";
import { withNeeded } from "../../bench/suite.ts";

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
