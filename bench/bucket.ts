/**
 * `bucket`: one rate over any number of senders, also while half of them are killed; judged at the carrier's socket.
 *
 * @module
 */
import { connectDatabase, type Sql } from "../adapters/postgres/database.ts";
import { sendLaneOf } from "../core/send/queued_message.ts";
import { type Bench, type BenchContext, freshSystem } from "./bench_context.ts";
import { bucketTargets, type BucketUse, judgeBucket, useOverTime } from "./bucket_judgement.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { ownersOf, portOf, untilSpread } from "./cluster.ts";
import { addChannel } from "./installation.ts";
import { insertQueued } from "./queued_rows.ts";
import type { BenchRow, Series } from "./report.ts";
import { acceptedMoreThanOnce } from "./simulator/audit.ts";
import type { Program } from "./system_under_test.ts";
import { atMost, promised, type Target } from "./targets.ts";

const WORKERS = [1, 2, 4, 8];
/** Workers of which half are killed. */
const KILLED_OF = [8];
const SECONDS = 10;
/** Long enough for a take-over of two seconds to be less than the 5 % that it may cost. */
const KILL_SECONDS = 60;
const KILL_AT = 0.3;
/** Times as long as the other measurements, where their length is given. */
const SHORT_KILL = 5;
/** A channel for each, all at the same time; then as many equal ones as there are workers at most. */
const RATES = [10, 100, 1_000, ...Array<number>(8).fill(50)];
/** Messages beyond what the rate lets through, so that some wait to the end. */
const SPARE = 1.1;
/** Each sender makes its first calls before anything is measured: through a channel of this rate, for so long. */
const WARMUP_RATE = 100;
const WARMUP_SECONDS = 2;
/** Some channels begin before others. */
const SPARE_SECONDS = 5;
const FIRST_SEND_MS_MAX = 30_000;
/** After the whole time, for what is on its way. */
const TAIL_MS = 500;

interface Setting {
  readonly context: BenchContext;
  readonly carrier: Carrier;
  readonly front: Program;
  readonly sql: Sql;
}

interface BenchChannel {
  readonly id: string;
  readonly number: string;
  readonly rateMps: number;
  readonly burst: number;
}

export const bucket: Bench = {
  name: "bucket",
  about: "one rate over 1, 2, 4 and 8 senders, several channels at a time; half of the senders killed",
  takes: { firstSeconds: 150, laterSeconds: 150 },
  once: true,
  run: async (context) => {
    await using carrier = await startCarrier();
    await using system = await freshSystem(context);
    const front = await system.start("ingress,router");
    const sql = connectDatabase(system.embedded.databaseUrl, { max: 1, applicationName: "patchbay bench" });
    const setting: Setting = { context, carrier, front, sql };
    const senders: Program[] = [];
    const rows: BenchRow[] = [];
    let series: Series[] = [];
    const grow = async (count: number) => {
      const more = Math.max(0, count - senders.length);
      const fresh = await Promise.all(Array.from({ length: more }, () => system.start("sender")));
      senders.push(...fresh);
      await untilSpread(front.api, "send", senders);
      await warmUp(setting, fresh);
    };
    try {
      for (const count of WORKERS) {
        await grow(count);
        context.say(`${count} senders`);
        rows.push(...await measureRates(setting, count));
        if (!KILLED_OF.includes(count)) continue;
        const killed = await measureKill(setting, senders);
        rows.push(killed.row);
        series = killed.series;
      }
    } finally {
      await sql.end({ timeout: 2 });
    }
    return {
      rows,
      series,
      notes: [
        "Of each number of senders: channels of 10, 100 and 1,000/s and eight of 50/s at the same time, each with burst of " +
        "a tenth of its rate; the figures are those of the worst channel. Messages were written straight into the " +
        "database and waited all the time.",
        "Share: of what the rate allows, from a second after the first message on; every sender had sent for " +
        `${WARMUP_SECONDS} s before. Killed: kill -9 of half of the ` +
        `senders, the owner of the fastest channel among them, at ${
          KILL_AT * 100
        } % of ${KILL_SECONDS} s; the share ` +
        "is that of the whole time, the take-over's gap included.",
      ],
    };
  },
};

/** Lets each of the senders send through a channel of its own. */
async function warmUp(setting: Setting, senders: readonly Program[]): Promise<void> {
  const owners = await ownersOf(setting.front.api, "send");
  const cold = new Set(senders.map(portOf));
  const channels: BenchChannel[] = [];
  while (cold.size > 0) {
    const channel = await waitingChannel(setting, WARMUP_RATE, WARMUP_SECONDS);
    cold.delete(owners.get(sendLaneOf(channel.id)) ?? 0);
    channels.push(channel);
  }
  await useUp(setting, channels, WARMUP_SECONDS);
}

/** Rows: each of the single rates, and the equal channels together. */
async function measureRates(setting: Setting, workers: number): Promise<BenchRow[]> {
  const seconds = setting.context.seconds ?? SECONDS;
  const { uses, twice } = await useUp(setting, await waitingChannels(setting, seconds), seconds);
  const groups = [...new Set(RATES)].map((rateMps) => uses.filter((use) => use.rateMps === rateMps));
  const single = groups.map((group) =>
    rowOf(
      group.length === 1
        ? `${workers} senders, one channel of ${group[0]!.rateMps}/s`
        : `${workers} senders, each of ${group.length} channels of ${group[0]!.rateMps}/s`,
      group,
      false,
    )
  );
  return [
    { ...rowOf(`${workers} senders, all channels`, uses, false, twice), ...headline(workers) },
    ...single,
  ];
}

function headline(workers: number) {
  const words = "10, 100, 1,000/s and 8 × 50/s at the same time";
  return {
    headline: workers === WORKERS[0] ? `\`bucket\` ${workers} sender, ${words}` : `… ${workers} senders`,
  };
}

async function measureKill(
  setting: Setting,
  senders: Program[],
): Promise<{ row: BenchRow; series: Series[] }> {
  const { context } = setting;
  const all = senders.length;
  const seconds = context.seconds === null ? KILL_SECONDS : context.seconds * SHORT_KILL;
  const killMs = seconds * 1_000 * KILL_AT;
  context.say(`${all} senders, of which ${all / 2} are killed`);
  const channels = await waitingChannels(setting, seconds);
  const { uses, twice } = await useUp(setting, channels, seconds, async () => {
    const owners = await ownersOf(setting.front.api, "send");
    const fastest = channels.reduce((fast, channel) => channel.rateMps > fast.rateMps ? channel : fast);
    const owner = owners.get(sendLaneOf(fastest.id));
    const doomed = [...senders].sort((a, b) => Number(portOf(b) === owner) - Number(portOf(a) === owner))
      .slice(0, all / 2);
    await new Promise((resolve) => setTimeout(resolve, killMs));
    await Promise.all(doomed.map((program) => program.killNow()));
    senders.splice(0, all, ...senders.filter((program) => !doomed.includes(program)));
  });
  const row = rowOf(`${all} senders, ${all / 2} of them killed`, uses, true, twice);
  const gapMs = Math.max(
    ...uses.filter(({ rateMps }) => rateMps >= 50).map((use) => judgeBucket(use).longestGapMs),
  );
  return {
    row: {
      ...row,
      headline: `… ${all} senders, ${all / 2} of them killed -9 in mid-run`,
      figure: `${row.figure}; longest gap ${(gapMs / 1_000).toFixed(1)} s`,
      more: { ...row.more, "longest gap of a channel of 50/s or more, ms": gapMs },
    },
    series: seriesOf(uses, seconds, killMs / 1_000),
  };
}

function seriesOf(uses: readonly BucketUse[], seconds: number, killSeconds: number): Series[] {
  const curve = (rateMps: number): Series => ({
    plot: "bucket",
    name: `channel of ${rateMps.toLocaleString("en")}/s`,
    points: useOverTime(uses.find((use) => use.rateMps === rateMps)!),
  });
  return [
    curve(1_000),
    curve(100),
    {
      plot: "bucket",
      name: "half of the senders killed",
      dashed: true,
      points: [[killSeconds, 0], [killSeconds, 100]],
    },
    { plot: "bucket", name: "the rate", dashed: true, points: [[0, 100], [seconds, 100]] },
  ];
}

function rowOf(what: string, uses: readonly BucketUse[], killed: boolean, twice?: number): BenchRow {
  const judged = uses.map(judgeBucket);
  const sent = uses.reduce(
    (sum, { times, durationMs }) => sum + times.filter((atMs) => atMs < times[0]! + durationMs).length,
    0,
  );
  const shares = judged.map(({ sharePercent }) => sharePercent);
  const targets: Target[] = [
    ...bucketTargets(judged, killed),
    ...(twice === undefined ? [] : [promised(atMost(0, { what: "sent twice", value: twice }))]),
  ];
  return {
    what,
    rateMps: sent / (uses[0]!.durationMs / 1_000),
    figure: `${Math.min(...shares).toFixed(1)}–${Math.max(...shares).toFixed(1)} % of the rate`,
    targets,
    more: {
      messages: sent,
      "least % of the rate": Math.min(...shares),
      "most % of the rate": Math.max(...shares),
      "longest gap, ms": Math.max(...judged.map(({ longestGapMs }) => longestGapMs)),
    },
  };
}

/** Channels whose messages wait: enabled at the same time, watched for so long, then disabled. */
async function useUp(
  { carrier, front: { api } }: Setting,
  channels: readonly BenchChannel[],
  seconds: number,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<{ uses: BucketUse[]; twice: number }> {
  await carrier.reset();
  await Promise.all(channels.map(({ id }) => api.patch(`/v1/channels/${id}`, { enabled: true })));
  const startMs = performance.now();
  const killing = meanwhile();
  await untilAllSend(carrier, channels);
  const lateMs = performance.now() - startMs;
  await killing;
  const restMs = lateMs + seconds * 1_000 + TAIL_MS - (performance.now() - startMs);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, restMs)));
  await Promise.all(channels.map(({ id }) => api.patch(`/v1/channels/${id}`, { enabled: false })));
  const calls = (await carrier.record()).filter(({ accepted }) => accepted);
  const uses = channels.map(({ number, rateMps, burst }) => ({
    rateMps,
    burst,
    durationMs: seconds * 1_000,
    times: calls.filter(({ from }) => from === number).map(({ atMs }) => atMs).sort((a, b) => a - b),
  }));
  return { uses, twice: acceptedMoreThanOnce(calls).size };
}

/** Waits until each of the channels has sent something. */
async function untilAllSend(carrier: Carrier, channels: readonly BenchChannel[]): Promise<void> {
  const silent = new Set(channels.map(({ number }) => number));
  const endMs = performance.now() + FIRST_SEND_MS_MAX;
  for (let since = 0; silent.size > 0;) {
    if (performance.now() > endMs) throw new Error(`nothing was sent from ${[...silent].join(", ")}`);
    for (const { sequence, from } of await carrier.record(since)) {
      since = sequence;
      silent.delete(from);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

let made = 0;

/** One of each of the rates. */
async function waitingChannels(setting: Setting, seconds: number): Promise<BenchChannel[]> {
  const channels: BenchChannel[] = [];
  for (const rateMps of RATES) channels.push(await waitingChannel(setting, rateMps, seconds));
  return channels;
}

async function waitingChannel(
  { carrier, front: { api }, sql }: Setting,
  rateMps: number,
  seconds: number,
): Promise<BenchChannel> {
  const burst = Math.max(1, rateMps / 10);
  const index = ++made;
  const options = { api, carrierUrl: carrier.url, rateMps, burst, index, enabled: false };
  const { id, number } = await addChannel(options);
  const count = Math.ceil((rateMps * (seconds + SPARE_SECONDS) + burst) * SPARE);
  await insertQueued(sql, { channelId: id, number, count, first: index * 1_000_000, nowMs: Date.now() });
  return { id, number: number.number, rateMps, burst };
}
