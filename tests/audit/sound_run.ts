/**
 * Runs in which every promise is kept, made up for the tests of the auditor.
 *
 * @module
 */
import fc from "fast-check";
import type { MessageStatus } from "../../core/message.ts";
import type { Run, StoredMessage, Told, Webhook } from "../../bench/audit/run.ts";
import type { CallRecord } from "../../bench/simulator/record.ts";

export const CHANNEL = "ch_1";
export const NUMBER = "+14155550101";
export const RATE = { rateMps: 2, burst: 1 };

/** What happens to one message of a run; the conversation is the contact's index. */
export type Happening =
  | { readonly kind: "inbound"; readonly contact: number }
  | {
    readonly kind: "outbound";
    readonly contact: number;
    readonly end: "delivered" | "undelivered" | "blocked" | "held";
    readonly segments: number;
  };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant("inbound" as const), contact: fc.integer({ min: 0, max: 2 }) }),
  fc.record({
    kind: fc.constant("outbound" as const),
    contact: fc.integer({ min: 0, max: 2 }),
    end: fc.constantFrom("delivered" as const, "undelivered" as const, "blocked" as const, "held" as const),
    segments: fc.integer({ min: 1, max: 3 }),
  }),
);

/** Every kind of message at least once and twice in one conversation, so that every fault finds something to break. */
const CERTAIN: readonly Happening[] = [
  { kind: "inbound", contact: 0 },
  { kind: "inbound", contact: 0 },
  { kind: "outbound", contact: 0, end: "delivered", segments: 1 },
  { kind: "outbound", contact: 0, end: "delivered", segments: 2 },
  { kind: "outbound", contact: 1, end: "undelivered", segments: 1 },
  { kind: "outbound", contact: 1, end: "blocked", segments: 1 },
  { kind: "outbound", contact: 2, end: "held", segments: 1 },
];

/** Any sound run. */
export const soundRun: fc.Arbitrary<Run> = fc.array(happening, { maxLength: 30 })
  .map((more) => runOf([...CERTAIN, ...more]));

const STEPS: Readonly<Record<"delivered" | "undelivered" | "blocked" | "held", readonly MessageStatus[]>> = {
  delivered: ["queued", "sending", "sent", "delivered"],
  undelivered: ["queued", "sending", "sent", "undelivered"],
  blocked: ["queued", "blocked"],
  held: ["queued", "sending", "sending"],
};

/** The run in which just this happens, a message a second. */
export function runOf(happenings: readonly Happening[]): Run {
  const messages: StoredMessage[] = [];
  const webhooks: Webhook[] = [];
  const calls: CallRecord[] = [];
  const events: Told[] = [];
  const counts = { received: 0, segmentsIn: 0, sent: 0, segmentsOut: 0, delivered: 0, failed: 0 };
  const positions = [0, 0, 0];
  for (const [index, one] of happenings.entries()) {
    const atMs = 1_000 * (index + 1);
    const id = `msg_${index}`;
    const contact = `+1202555010${one.contact}`;
    const text = `text ${index}`;
    const common = {
      id,
      conversation: `cnv_${one.contact}`,
      position: ++positions[one.contact]!,
      channelId: CHANNEL,
      numberId: "num_1",
      number: NUMBER,
      contact,
      text,
      isScheduled: false,
    };
    if (one.kind === "inbound") {
      webhooks.push({
        id: `SM${index}`,
        from: contact,
        to: NUMBER,
        text,
        fate: "accepted",
        sentMs: atMs,
        answeredMs: atMs + 5,
      });
      messages.push({
        ...common,
        direction: "inbound",
        segments: 1,
        providerId: `SM${index}`,
        status: "received",
        uncertain: false,
        wasUncertain: false,
        steps: ["received"],
        reason: null,
        authorKind: null,
      });
      counts.received++;
      counts.segmentsIn++;
      events.push({ id: `evt_${index}`, type: "message.received", messageId: id });
      continue;
    }
    const steps = STEPS[one.end];
    const isTaken = one.end !== "blocked";
    messages.push({
      ...common,
      direction: "outbound",
      segments: one.segments,
      providerId: isTaken ? `SM${index}` : null,
      status: steps.at(-1)!,
      uncertain: one.end === "held",
      wasUncertain: one.end === "held",
      steps,
      reason: one.end === "delivered" ? null : "why",
      authorKind: "extension",
    });
    if (isTaken) {
      calls.push({
        sequence: calls.length + 1,
        atMs,
        provider: "twilio",
        from: NUMBER,
        to: contact,
        text,
        textHash: 0,
        messageId: id,
        providerId: `SM${index}`,
        accepted: true,
        answer: one.end === "held" ? "cut" : 201,
        code: null,
      });
    }
    if (steps.includes("sent")) {
      counts.sent++;
      counts.segmentsOut += one.segments;
    }
    if (one.end === "delivered") counts.delivered++;
    if (one.end === "undelivered") counts.failed++;
    for (
      const type of [
        "queued",
        ...steps.slice(2).filter((step) => step !== "sending"),
        ...steps.slice(1, 2),
      ]
    ) {
      if (type === "sending") continue;
      const told = type === "undelivered" ? "failed" : type;
      events.push({ id: `evt_${index}_${told}`, type: `message.${told}`, messageId: id });
    }
  }
  const state = (epoch: number, cursor: number) => [
    { kind: "route", partition: 0, epoch, cursor, logCreated: "a" },
    { kind: "send", partition: 3, epoch, cursor: 0, logCreated: null },
  ];
  return {
    messages,
    sessions: [
      { id: "ses_1", conversation: "cnv_0", state: "closed" },
      { id: "ses_2", conversation: "cnv_0", state: "active" },
    ],
    counted: [{ channelId: CHANNEL, number: NUMBER, ...counts }],
    webhooks,
    calls,
    promised: messages.filter(({ direction }) => direction === "outbound")
      .map(({ id, text }) => ({ messageId: id, text })),
    events,
    buckets: [
      { name: "channel", numbers: [NUMBER], costUnit: "segment", ...RATE },
      { name: "number", numbers: [NUMBER], costUnit: "message", rateMps: 1, burst: 1 },
    ],
    optOuts: [{ contact: "+12025550100", number: null, sinceMs: 1_000_000, untilMs: null }],
    samples: [{ atMs: 1, partitions: state(1, 0) }, { atMs: 2, partitions: state(2, 5) }],
    leftovers: {
      partitions: state(2, 5),
      logEnds: [{ kind: "route", partition: 0, sequence: 5 }],
      outbox: [],
    },
    openEnd: "none",
  };
}
