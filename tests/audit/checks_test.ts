import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { audit, faultLines } from "../../bench/audit/audit.ts";
import { reportText } from "../../bench/audit/report.ts";
import type { Run, StoredMessage } from "../../bench/audit/run.ts";
import type { CallRecord } from "../../bench/simulator/record.ts";
import { CHANNEL, NUMBER, runOf, soundRun } from "./sound_run.ts";

/** The run with the first message that fits changed. */
function changed(run: Run, fits: (message: StoredMessage) => boolean, change: Partial<StoredMessage>): Run {
  const index = run.messages.findIndex(fits);
  return { ...run, messages: run.messages.map((one, at) => at === index ? { ...one, ...change } : one) };
}

function without(run: Run, fits: (message: StoredMessage) => boolean): Run {
  const index = run.messages.findIndex(fits);
  return { ...run, messages: run.messages.toSpliced(index, 1) };
}

/** The first call again, as a last one, with changes. */
function calledAgain(run: Run, change: Partial<CallRecord>): Run {
  const calls = run.calls!;
  return { ...run, calls: [...calls, { ...calls[0]!, sequence: calls.length + 1, ...change }] };
}

function sampled(run: Run, change: { epoch?: number; cursor?: number; logCreated?: string }): Run {
  const last = run.samples!.at(-1)!;
  const partitions = last.partitions.map((state) => state.kind === "route" ? { ...state, ...change } : state);
  return { ...run, samples: [...run.samples!, { atMs: 3, partitions }] };
}

const isInbound = ({ direction }: StoredMessage) => direction === "inbound";
const isDelivered = ({ status }: StoredMessage) => status === "delivered";

/** Each breaks one promise of any sound run: the check that must say so, its words, and how it is broken. */
const VIOLATIONS: readonly (readonly [check: string, words: RegExp, violate: (run: Run) => Run])[] = [
  ["received", /accepted and lost: text 0/, (run) => without(run, isInbound)],
  ["received", /stored more than once: text 0 \(2 times\)/, (run) => ({
    ...run,
    messages: [...run.messages, { ...run.messages.find(isInbound)!, id: "msg_x" }],
  })],
  ["received", /stored, but nobody wrote it/, (run) => changed(run, isInbound, { text: "never written" })],
  ["received", /stored in another's place/, (run) => changed(run, isInbound, { contact: "+1" })],
  ["received", /stored in another's place/, (run) => changed(run, isInbound, { number: "+1" })],
  ["received", /stored under another's provider id/, (run) => changed(run, isInbound, { providerId: "SMx" })],
  [
    "received",
    /cannot be told apart/,
    (run) => ({ ...run, webhooks: [...run.webhooks!, run.webhooks![0]!] }),
  ],
  ["received-order", /stored after what was offered later: text 0/, (run) => {
    const [first, second] = run.messages.filter((one) => isInbound(one) && one.conversation === "cnv_0");
    const swapped = changed(run, ({ id }) => id === first!.id, { position: second!.position });
    return changed(swapped, ({ id }) => id === second!.id, { position: first!.position });
  }],
  [
    "conversations",
    /positions with gaps or repeats: cnv_0/,
    (run) => changed(run, isInbound, { position: 100 }),
  ],
  ["conversations", /positions with gaps or repeats/, (run) => changed(run, isDelivered, { position: 1 })],
  ["conversations", /more than one open session: cnv_0/, (run) => ({
    ...run,
    sessions: [...run.sessions, { id: "ses_3", conversation: "cnv_0", state: "waiting" }],
  })],
  [
    "conversations",
    /a status that its history does not end with/,
    (run) => changed(run, isDelivered, { status: "sent" }),
  ],
  ["promised", /promised and not stored: msg_2/, (run) => without(run, isDelivered)],
  ["promised", /promised and not stored: msg_2/, (run) => changed(run, isDelivered, { text: "another" })],
  ["promised", /promised once and stored more than once: text 2/, (run) => ({
    ...run,
    messages: [...run.messages, { ...run.messages.find(isDelivered)!, id: "msg_x" }],
  })],
  ["sent", /taken by the carrier and not stored: msg_2/, (run) => without(run, isDelivered)],
  ["sent", /delivered, but never taken by the carrier: msg_2/, (run) => ({
    ...run,
    calls: run.calls!.slice(1).map((call, index) => ({ ...call, sequence: index + 1 })),
  })],
  [
    "sent",
    /taken by the carrier, but kept as failed: msg_2/,
    (run) =>
      changed(run, isDelivered, { status: "failed", steps: ["queued", "sending", "failed"], reason: "why" }),
  ],
  ["sent", /left queued: msg_2/, (run) => changed(run, isDelivered, { status: "queued" })],
  ["sent", /left sending: msg_2/, (run) => changed(run, isDelivered, { status: "sending" })],
  ["sent", /neither delivered nor failed: msg_2/, (run) => changed(run, isDelivered, { status: "sent" })],
  [
    "sent",
    /undelivered without a reason/,
    (run) => changed(run, ({ status }) => status === "undelivered", { reason: " " }),
  ],
  ["sent-once", /taken more than once: msg_2 \(2 times\)/, (run) => calledAgain(run, {})],
  // What was uncertain with one message excuses no other.
  ["sent-once", /taken more than once/, (run) => calledAgain(run, { answer: "cut" })],
  ["sent-order", /left after a later one of its conversation: msg_2/, (run) => {
    const [first, second, ...rest] = run.calls!;
    return {
      ...run,
      calls: [second!, first!, ...rest].map((call, index) => ({ ...call, sequence: index + 1 })),
    };
  }],
  ["rates", /over the rate in some second: channel: 5, allowed 4/, (run) => ({
    // One second apart 1 + 2 units leave; half a second apart 5 do.
    ...run,
    buckets: [run.buckets![0]!],
    calls: [1_000, 1_400, 1_999].map((atMs, index) => ({
      ...run.calls!.find(({ messageId }) => messageId === (index === 0 ? "msg_2" : "msg_3"))!,
      sequence: index + 1,
      atMs,
    })),
  })],
  ["rates", /over the rate in some second: number: 3, allowed 2/, (run) => ({
    ...run,
    calls: run.calls!.map((call, index) =>
      index < 3 ? { ...call, atMs: [3_000, 3_400, 3_999][index]! } : call
    ),
  })],
  ["opt-outs", /called after opting out: \+12025550100/, (run) => ({
    ...run,
    optOuts: [{ contact: "+12025550100", number: null, sinceMs: 0, untilMs: null }],
  })],
  ["opt-outs", /called after opting out/, (run) => ({
    ...run,
    optOuts: [{
      contact: "+12025550100",
      number: NUMBER,
      sinceMs: run.calls![0]!.atMs,
      untilMs: run.calls![0]!.atMs + 1,
    }],
  })],
  ["progress", /an epoch that went back: route 0 .* 2 → 1/, (run) => sampled(run, { epoch: 1 })],
  ["progress", /a cursor that went back: route 0 .* 5 → 4/, (run) => sampled(run, { cursor: 4 })],
  ["rest", /not applied to its end: route 0, up to 5 of 6/, (run) => ({
    ...run,
    leftovers: { ...run.leftovers!, logEnds: [{ kind: "route", partition: 0, sequence: 6 }] },
  })],
  ["rest", /left in the outbox: send 3, sequence 7/, (run) => ({
    ...run,
    leftovers: { ...run.leftovers!, outbox: [{ kind: "send", partition: 3, sequence: 7 }] },
  })],
  ...(["received", "segmentsIn", "sent", "segmentsOut", "delivered", "failed"] as const).map((name) =>
    ["statistics", new RegExp(`counted wrongly: .* ${name}, the messages say`), (run: Run) => ({
      ...run,
      counted: run.counted.map((counts) => ({ ...counts, [name]: counts[name] + 1 })),
    })] as const
  ),
  ["statistics", /counted wrongly/, (run) => ({ ...run, counted: [] })],
  [
    "events",
    /stored and never told: msg_0 as message.received/,
    (run) => ({ ...run, events: run.events!.slice(1) }),
  ],
  ["events", /stored and never told: msg_2 as message.delivered/, (run) => ({
    ...run,
    events: run.events!.filter(({ id }) => id !== "evt_2_delivered"),
  })],
  ["events", /told under different ids: msg_0 as message.received \(2\)/, (run) => ({
    ...run,
    events: [...run.events!, { ...run.events![0]!, id: "evt_x" }],
  })],
  ["events", /told and not stored: msg_x/, (run) => ({
    ...run,
    events: [...run.events!, { id: "evt_x", type: "message.received", messageId: "msg_x" }],
  })],
  ["events", /told, and not in the message's history: msg_2 as message.failed/, (run) => ({
    ...run,
    events: [...run.events!, { id: "evt_x", type: "message.failed", messageId: "msg_2" }],
  })],
];

Deno.test("a run in which every promise is kept is sound, and every check looked at something", () => {
  fc.assert(fc.property(soundRun, (run) => {
    const report = audit(run);
    deepEqual(faultLines(report), []);
    ok(report.sound);
    for (const { name, looked, skipped } of report.checks) ok(looked > 0 && skipped === null, name);
  }));
});

Deno.test("every broken promise of any run is found by its check", async (t) => {
  const unbroken = new Set(audit(runOf([])).checks.map(({ name }) => name));
  for (const [check, words, violate] of VIOLATIONS) {
    unbroken.delete(check);
    await t.step(`${check}: ${words.source}`, () => {
      fc.assert(
        fc.property(soundRun, (run) => {
          const report = audit(violate(run));
          equal(report.sound, false);
          match(faultLines(report).filter((line) => line.startsWith(`${check}: `)).join("\n"), words);
        }),
        { numRuns: 25 },
      );
    });
  }
  deepEqual([...unbroken], [], "checks that nothing here makes fail");
});

/** Each is allowed, and told apart where a person should know. */
const ALLOWED: readonly (readonly [note: RegExp | null, change: (run: Run) => Run])[] = [
  [
    /sent-once: .*taken twice after an uncertain try: msg_2/,
    (run) => calledAgain(changed(run, isDelivered, { wasUncertain: true }), {}),
  ],
  [/sent-once: .*taken twice, after an answer that said no: msg_2/, (run) => {
    const [first, ...rest] = run.calls!;
    return calledAgain({ ...run, calls: [{ ...first!, answer: 500 }, ...rest] }, { atMs: 500_000 });
  }],
  [/sent: .*uncertain: held until a report comes: msg_6/, (run) => run],
  [/sent: .*taken by the carrier, kept as sending and uncertain: msg_6/, (run) => run],
  [/sent: .*its report still to come/, (run) => ({
    ...changed(run, isDelivered, { status: "sent", steps: ["queued", "sending", "sent"] }),
    openEnd: "reports",
    counted: run.counted.map((counts) => ({ ...counts, delivered: counts.delivered - 1 })),
    events: run.events!.filter(({ id }) => id !== "evt_2_delivered"),
  })],
  [/sent: .*still queued: msg_5/, (run) => ({
    ...changed(run, ({ status }) => status === "blocked", { status: "queued", steps: ["queued"] }),
    openEnd: "any",
  })],
  // A log that was made anew begins again.
  [null, (run) => sampled(run, { cursor: 0, logCreated: "b" })],
  // One confirmation, and what lies before and after.
  [null, (run) => ({
    ...changed(run, isDelivered, { authorKind: "system" }),
    optOuts: [{ contact: "+12025550100", number: null, sinceMs: 0, untilMs: run.calls![0]!.atMs + 1 }],
  })],
  [null, (run) => ({
    ...run,
    optOuts: [{ contact: "+12025550100", number: "+1999", sinceMs: 0, untilMs: null }],
  })],
  // What was not accepted may be stored or not.
  [
    null,
    (run) => ({ ...run, webhooks: [...run.webhooks!, { ...run.webhooks![0]!, text: "y", fate: "broken" }] }),
  ],
];

Deno.test("what the promises allow is no fault, and what is uncertain or open is listed", () => {
  fc.assert(
    fc.property(soundRun, (run) => {
      for (const [note, change] of ALLOWED) {
        const report = audit(change(run));
        deepEqual(faultLines(report), []);
        const notes = report.checks.flatMap(({ name, notes }) =>
          notes.map(({ what, examples }) => `${name}: ${what}: ${examples.join(", ")}`)
        );
        if (note !== null) match(notes.join("\n"), note);
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("calls that show no id of ours are known by the provider's, or by numbers and text", () => {
  const run = runOf([
    { kind: "outbound", contact: 0, end: "delivered", segments: 1 },
    { kind: "outbound", contact: 1, end: "delivered", segments: 1 },
  ]);
  const [first, second] = run.calls!;
  const anonymous = [
    { ...first!, messageId: null },
    { ...second!, messageId: null, providerId: null, to: "12025550101", from: "14155550101" },
  ];
  deepEqual(faultLines(audit({ ...run, calls: anonymous })), []);
  match(
    faultLines(audit({ ...run, calls: [...anonymous, { ...anonymous[1]!, sequence: 3 }] })).join("\n"),
    /sent-once: 1 taken more than once: msg_1/,
  );
});

Deno.test("what is not known is not checked, and the report says so", () => {
  const run: Run = {
    ...runOf([]),
    webhooks: null,
    calls: null,
    promised: null,
    events: null,
    buckets: null,
    optOuts: null,
    samples: null,
    leftovers: null,
  };
  const report = audit(run);
  deepEqual(report.checks.filter(({ skipped }) => skipped === null).map(({ name }) => name), [
    "conversations",
    "statistics",
  ]);
  const text = reportText(report);
  match(text, /^- {7}received .*not checked: needs the list of webhooks/m);
  match(text, /^kept {4}statistics .*\(\d+ looked at\)$/m);
  match(text, /^Sound: 2 promises checked, 11 not\.$/m);
  const broken = { ...run, counted: [{ ...runOf([]).counted[0]!, channelId: CHANNEL, sent: 1 }] };
  match(reportText(audit(broken)), /^BROKEN {2}statistics/m);
  match(reportText(audit(broken)), /^1 of 2 promises that were checked are broken\.$/m);
});
