import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { parseLines, readCalls, readWebhooks } from "../../bench/audit/sources.ts";
import { until } from "../support/until.ts";

Deno.test("what `simulate` writes down at its end is what the auditor reads", async () => {
  const folder = await Deno.makeTempDir({ prefix: "patchbay-audit-" });
  let webhooks = 0;
  await using target = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    // Every third one is refused, for good.
    return new Response("", { status: ++webhooks % 3 === 0 ? 400 : 200 });
  });
  const files = { webhooks: join(folder, "webhooks.jsonl"), record: join(folder, "record.jsonl") };
  await using simulate = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "main.ts",
      "simulate",
      "--port=0",
      `--target=http://127.0.0.1:${target.addr.port}/`,
      "--connections=1",
      "--rate=200",
      `--webhooks=${files.webhooks}`,
      `--record=${files.record}`,
    ],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    await until("contacts write", () => webhooks > 20);
    simulate.kill("SIGTERM");
    equal((await simulate.status).code, 0);
    const written = await readWebhooks(files.webhooks);
    equal(written.length, webhooks);
    deepEqual(
      written.map(({ fate }) => fate),
      written.map((_, index) => (index + 1) % 3 === 0 ? "refused" : "accepted"),
    );
    for (const { fate, sentMs, answeredMs } of written) {
      if (fate === "accepted") ok(answeredMs! > sentMs && sentMs > 1.7e12);
      else equal(answeredMs, null);
    }
    deepEqual(await readCalls(files.record), []);
    await rejects(readCalls(files.webhooks), /webhooks\.jsonl, line 1: atMs: /);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("lines that do not fit are named", () => {
  const schema = z.object({ n: z.number() });
  deepEqual(parseLines('{"n":1}\n\n{"n":2}\n', "here", schema), [{ n: 1 }, { n: 2 }]);
  throws(() => parseLines('{"n":1}\n{"n":"2"}', "here", schema), /here, line 2: n: /);
  throws(() => parseLines("{", "here", schema), /here, line 1: not JSON/);
});
