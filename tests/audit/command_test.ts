import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ChannelSettingsSchema } from "../../core/channel.ts";
import type { CallRecord } from "../../bench/simulator/record.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { insertMessages } from "../support/message_rows.ts";
import { testPostgres } from "../support/postgres.ts";
import { queuedMessage } from "../support/send_fixtures.ts";
import { pause } from "../support/until.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "main.ts", "audit", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: text(stdout), complained: text(stderr) };
}

Deno.test("deno task audit", async (t) => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const env = { DATABASE_URL: database.url };
  const folder = await Deno.makeTempDir({ prefix: "patchbay-audit-" });
  const file = async (name: string, ...lines: unknown[]) => {
    const path = join(folder, name);
    await Deno.writeTextFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    return path;
  };
  const at = new Date(1_700_000_000_000).toISOString();
  const sent = queuedMessage(1, {
    status: "delivered",
    provider_id: "SM1",
    history: (["queued", "sending", "sent", "delivered"] as const).map((status) => ({ status, at })),
  });
  const received = queuedMessage(2, {
    direction: "inbound",
    status: "received",
    text: "hello",
    history: [{ status: "received", at }],
    provider_id: "SM2",
  });
  await insertMessages(database.sql, [sent, received]);
  await database
    .sql`insert into statistics (channel_id, number, hour_ms, shard, received, sent, delivered, segments_in, segments_out)
    values (${sent.channel_id}, ${sent.number}, 0, 0, 1, 1, 1, 1, 1)`;
  const settings = ChannelSettingsSchema.parse({ rateMps: 1, burst: 1 });
  await database.sql`insert into channels (id, name, provider, settings, credentials, status)
    values (${sent.channel_id}, 'main', 'twilio', ${JSON.stringify(settings)}::text::jsonb, '', 'connected')`;
  await database.sql`insert into numbers (id, channel_id, number, type)
    values (${sent.number_id}, ${sent.channel_id}, ${sent.number}, 'mobile')`;
  const call: CallRecord = {
    sequence: 1,
    atMs: 1_700_000_000_100,
    provider: "twilio",
    from: sent.number,
    to: sent.contact,
    text: sent.text,
    textHash: 0,
    messageId: sent.id,
    providerId: "SM1",
    accepted: true,
    answer: 201,
    code: null,
  };
  const record = await file("record.jsonl", call);
  const webhook = {
    id: "SM2",
    from: received.contact,
    to: received.number,
    text: "hello",
    fate: "accepted",
    sentMs: 1,
    answeredMs: 2,
  };
  const webhooks = await file("webhooks.jsonl", webhook);
  const promised = await file("promised.jsonl", { messageId: sent.id, text: sent.text });

  try {
    await t.step("a sound run: exit code 0 and one line for each promise", async () => {
      const args = [`--record=${record}`, `--webhooks=${webhooks}`, `--promised=${promised}`];
      const { code, said, complained } = await run(args, env);
      equal(code, 0, said + complained);
      match(said, /^kept {4}received +.* \(1 looked at\)$/m);
      match(said, /^kept {4}sent +.* \(1 looked at\)$/m);
      match(said, /^kept {4}rates +.* \(1 looked at\)$/m);
      match(said, /^- {7}events +.*not checked: needs the stream of events/m);
      match(said, /^Sound: \d+ promises checked, \d+ not\.$/m);
    });

    await t.step("a broken promise: exit code 1, in words and as JSON", async () => {
      const lost = await file("lost.jsonl", webhook, { ...webhook, id: "SM3", text: "lost" });
      const optedOut = await file("opted_out.jsonl", { contact: sent.contact });
      const args = [`--record=${record}`, `--webhooks=${lost}`, `--opted-out=${optedOut}`];
      const spoken = await run(args, env);
      equal(spoken.code, 1);
      match(spoken.said, /^BROKEN {2}received/m);
      match(spoken.said, /1 accepted and lost: lost$/m);
      match(spoken.said, /1 called after opting out/);
      const { code, said } = await run([...args, "--json"], env);
      equal(code, 1);
      const report = JSON.parse(said);
      equal(report.sound, false);
      deepEqual(
        report.checks.filter(({ faults }: { faults: unknown[] }) => faults.length > 0)
          .map(({ name }: { name: string }) => name),
        ["received", "opt-outs"],
      );
    });

    await t.step("it samples cursors and epochs while it watches", async () => {
      let over = false;
      const child = run(["--watch", "--seconds=1", "--json"], env).finally(() => over = true);
      for (let epoch = 1_000_000; !over; epoch--) {
        await database.sql`update partitions set epoch = ${epoch} where kind = 'route' and partition = 0`;
        await pause(20);
      }
      const { code, said, complained } = await child;
      equal(code, 1, complained);
      const progress = JSON.parse(said).checks.find(({ name }: { name: string }) => name === "progress");
      equal(progress.faults[0].what, "an epoch that went back");
    });

    await t.step("the record comes from a running simulator as well", async () => {
      await using simulator = startSimulator();
      const { code, said } = await run([`--record=${simulator.url}`], env);
      equal(code, 1);
      match(said, /delivered, but never taken by the carrier/);
    });

    await t.step("what cannot be checked: exit code 2 and what is wrong, with its place", async () => {
      const bad = await file("bad.jsonl", webhook, { ...webhook, fate: "eaten" });
      const cases: readonly (readonly [string[], Record<string, string>, RegExp])[] = [
        [[], { DATABASE_URL: "" }, /^DATABASE_URL: must name/],
        [["--seconds=0"], env, /^--seconds: must be/],
        [["--recrod=x"], env, /recrod/],
        [[`--webhooks=${bad}`], env, /bad\.jsonl, line 2: fate: /],
      ];
      for (const [args, itsEnv, words] of cases) {
        const { code, complained } = await run(args, itsEnv);
        equal(code, 2, args.join(" "));
        match(complained, words);
      }
      const help = await run(["--help"]);
      equal(help.code, 0);
      match(help.said, /^Usage: deno task audit/);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
