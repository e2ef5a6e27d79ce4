/**
 * The auditor on a system that a test runs: gathers what is left in its database and broker, and adds what the test
 * knows of the run.
 *
 * @module
 */
import { audit, type AuditReport, faultLines } from "../../bench/audit/audit.ts";
import { readLogEnds, readTold } from "../../bench/audit/broker.ts";
import { readLeftovers, readStored } from "../../bench/audit/database.ts";
import { Findings, groupText } from "../../bench/audit/findings.ts";
import { checkRest } from "../../bench/audit/progress.ts";
import type { Run, Webhook } from "../../bench/audit/run.ts";
import type { ContactMessage } from "../../bench/simulator/contact.ts";
import type { Inside } from "./inside.ts";
import { until } from "./until.ts";

const PARTITIONS = 32;

/** What the test saw of the run; what is left out is not checked. */
export type Known = Partial<
  Pick<Run, "webhooks" | "calls" | "promised" | "optOuts" | "samples" | "openEnd" | "events">
>;

/** Audits what the system keeps now, with what the test knows. */
export async function auditRun(inside: Inside, known: Known = {}): Promise<AuditReport> {
  const run: Run = {
    ...await readStored(inside.sql),
    webhooks: null,
    calls: null,
    promised: null,
    samples: null,
    events: await readTold(inside),
    leftovers: await readLeftovers(inside.sql, await readLogEnds(inside, PARTITIONS)),
    openEnd: "none",
    ...known,
  };
  return audit(run);
}

/** Throws with everything that a check found. */
export async function assertAudited(inside: Inside, known: Known = {}): Promise<void> {
  const lines = faultLines(await auditRun(inside, known));
  if (lines.length > 0) throw new Error(`The audit found:\n  ${lines.join("\n  ")}`);
}

/** A message that a test wrote by itself, of which nothing more is known than that it may be stored. */
export function webhookOf(message: ContactMessage): Webhook {
  return { ...message, fate: "broken", sentMs: 0, answeredMs: null };
}

/** Waits until everything accepted is applied and told; throws with what is not when it does not come to it. */
export async function untilAtRest(inside: Inside, msMax?: number): Promise<void> {
  let left: string[] = [];
  const look = async () => {
    const found = new Findings();
    checkRest(await readLeftovers(inside.sql, await readLogEnds(inside, PARTITIONS)), found);
    return found.faults.map(groupText);
  };
  await until("the system comes to rest", async () => {
    // Its parts may have been away a moment ago.
    left = await look().catch((error) => [`it cannot be looked at: ${error}`]);
    return left.length === 0;
  }, msMax).catch((error) => {
    throw new Error(`${(error as Error).message}: ${left.join("; ")}`);
  });
}
