/**
 * The auditor: compares what contacts and carriers saw of a run with what the system kept of it.
 *
 * @module
 */
import { linkCalls, type LinkedCall } from "./carrier_calls.ts";
import { Findings, type Group, groupText } from "./findings.ts";
import { checkProgress, checkRest } from "./progress.ts";
import { checkOptOuts, checkRates } from "./rates.ts";
import { checkConversations, checkReceived, checkReceivedOrder } from "./received.ts";
import type { Run } from "./run.ts";
import { checkPromised, checkSent, checkSentOnce, checkSentOrder } from "./sent.ts";
import { checkEvents, checkStatistics } from "./statistics.ts";

export interface CheckReport {
  readonly name: string;
  /** The promise, in words. */
  readonly promise: string;
  /** What was missing to check it; null: it was checked. */
  readonly skipped: string | null;
  /** How many things were looked at. */
  readonly looked: number;
  readonly faults: readonly Group[];
  /** Not wrong, but worth knowing: uncertain messages, what was open when the run was cut. */
  readonly notes: readonly Group[];
}

export interface AuditReport {
  readonly checks: readonly CheckReport[];
  /** Whether no check found a fault. */
  readonly sound: boolean;
}

interface Check {
  readonly name: string;
  readonly promise: string;
  /** Gives what is missing, or null once it has looked. */
  run(run: Run, calls: readonly LinkedCall[] | null, found: Findings): string | null;
}

/** `use` with the value, or what is missing. */
function needs<T>(value: T | null, name: string, use: (value: T) => void): string | null {
  if (value === null) return name;
  use(value);
  return null;
}

const CHECKS: readonly Check[] = [
  {
    name: "received",
    promise: "what was answered 2xx is stored exactly once",
    run: ({ webhooks, messages }, _, found) =>
      needs(webhooks, "the list of webhooks", (all) => checkReceived(all, messages, found)),
  },
  {
    name: "received-order",
    promise: "a conversation's messages are stored in the order in which they came",
    run: ({ webhooks, messages }, _, found) =>
      needs(webhooks, "the list of webhooks", (all) => checkReceivedOrder(all, messages, found)),
  },
  {
    name: "conversations",
    promise: "positions count without gaps, and one session at most is open",
    run: ({ messages, sessions }, _, found) => (checkConversations(messages, sessions, found), null),
  },
  {
    name: "promised",
    promise: "what the API answered 2xx is stored once under the id it gave",
    run: ({ promised, messages }, _, found) =>
      needs(promised, "the list of answered commands", (all) => checkPromised(all, messages, found)),
  },
  {
    name: "sent",
    promise: "what was sent is delivered or has failed with a reason",
    run: ({ messages, openEnd }, calls, found) =>
      needs(calls, "the carrier's record", (all) => checkSent(all, messages, openEnd, found)),
  },
  {
    name: "sent-once",
    promise: "no message is sent twice unless nobody could know",
    run: (_, calls, found) => needs(calls, "the carrier's record", (all) => checkSentOnce(all, found)),
  },
  {
    name: "sent-order",
    promise: "a conversation's messages leave in the order in which they were written",
    run: (_, calls, found) => needs(calls, "the carrier's record", (all) => checkSentOrder(all, found)),
  },
  {
    name: "rates",
    promise: "no second sees more than rate and burst of any channel or number",
    run: ({ buckets }, calls, found) => {
      if (calls === null) return "the carrier's record";
      return needs(buckets, "the rates", (all) => checkRates(all, calls, found));
    },
  },
  {
    name: "opt-outs",
    promise: "contacts who opted out are not called",
    run: ({ optOuts }, calls, found) => {
      if (calls === null) return "the carrier's record";
      return needs(optOuts, "the list of opt-outs", (all) => checkOptOuts(all, calls, found));
    },
  },
  {
    name: "progress",
    promise: "epochs and cursors never go back",
    run: ({ samples }, _, found) =>
      needs(samples, "samples taken during the run", (all) => checkProgress(all, found)),
  },
  {
    name: "rest",
    promise: "everything accepted is applied, and everything committed is told",
    run: ({ leftovers, openEnd }, _, found) =>
      openEnd === "any"
        ? "a run that came to its end"
        : needs(leftovers, "a look at the logs", (all) => checkRest(all, found)),
  },
  {
    name: "statistics",
    promise: "the counters equal the messages",
    run: ({ counted, messages }, _, found) => (checkStatistics(counted, messages, found), null),
  },
  {
    name: "events",
    promise: "everything that happened to a message was told, under one id",
    run: ({ events, messages, openEnd }, _, found) =>
      openEnd === "any"
        ? "a run that came to its end"
        : needs(events, "the stream of events", (all) => checkEvents(all, messages, found)),
  },
];

/** Looks at everything that is known of the run. */
export function audit(run: Run): AuditReport {
  const calls = run.calls === null ? null : linkCalls(run.calls, run.messages);
  const checks = CHECKS.map(({ name, promise, run: look }): CheckReport => {
    const found = new Findings();
    const skipped = look(run, calls, found);
    return { name, promise, skipped, looked: found.looked, faults: found.faults, notes: found.notes };
  });
  return { checks, sound: checks.every(({ faults }) => faults.length === 0) };
}

/** Every fault in one line each. */
export function faultLines({ checks }: AuditReport): string[] {
  return checks.flatMap(({ name, faults }) => faults.map((group) => `${name}: ${groupText(group)}`));
}
