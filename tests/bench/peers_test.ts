/** The peers run and do the work; only where their programs are installed. */
import { equal, match, ok } from "node:assert/strict";
import { prepareContacts } from "../../bench/contacts.ts";
import { kannelRow } from "../../bench/peers/kannel.ts";
import { startPipeline } from "../../bench/peers/pipeline_system.ts";
import { ensurePipeline, missing } from "../../bench/peers/programs.ts";

const say = () => {};
const NUMBERS = ["+14155550100"];

const pipelineMissing = missing(["redis-server", "node", "npm"]) ?? await ensurePipeline(say);
const kannelMissing = missing(["bearerbox", "smsbox"]);
if (pipelineMissing !== null) console.log(`The BullMQ pipeline is not tested: ${pipelineMissing}`);
if (kannelMissing !== null) console.log(`Kannel is not tested: ${kannelMissing}`);

Deno.test({
  name: "the BullMQ pipeline stores each message once and publishes it, and refuses a wrong signature",
  ignore: pipelineMissing !== null,
  fn: async () => {
    await using pipeline = await startPipeline({ fsync: "everysec", say });
    await pipeline.startWorker();
    await using listener = await pipeline.listen();
    const options = { webhookUrl: pipeline.webhookUrl, numbers: NUMBERS, rateMps: 100, connections: 8 };
    using contacts = await prepareContacts({ ...options, seconds: 1, warmupMs: 0 });
    const { accepted, refused } = await contacts.run();
    ok(accepted > 0);
    equal(refused, 0);
    ok(await listener.until(accepted, 60_000));
    equal(await pipeline.stored(), accepted);
    using forgers = await prepareContacts({
      ...options,
      publicUrl: "http://elsewhere.example/webhooks/twilio",
      seconds: 0.2,
      warmupMs: 0,
    });
    const forged = await forgers.run();
    equal(forged.accepted, 0);
    ok(forged.refused > 0);
    equal(await pipeline.stored(), accepted);
  },
});

Deno.test({
  name: "Kannel delivers every message to the carrier",
  ignore: kannelMissing !== null,
  fn: async () => {
    const row = await kannelRow({ what: "Kannel", seconds: 0.3, connections: 8 });
    ok(row.rateMps! > 0);
    equal(row.notRun, undefined);
  },
});

Deno.test("what is missing is named with how to get it", () => {
  match(missing(["bearerbox", "smsbox"], "/nonexistent")!, /bearerbox \(apt-get install kannel\)/);
  equal(missing([], "/nonexistent"), null);
});
