/**
 * What every bench is given.
 *
 * @module
 */
import type { Installation } from "./installation.ts";
import { install } from "./installation.ts";
import type { BenchResult } from "./report.ts";
import { type Program, startSystem, type SystemUnderTest } from "./system_under_test.ts";
import { CONVERSATIONS, openConversations } from "./contacts.ts";
import type { EventListener } from "./event_listener.ts";

export interface BenchContext {
  /** Length of the main measurements; null: each bench's own. */
  readonly seconds: number | null;
  /** Whether only to show that everything runs. */
  readonly quick: boolean;
  /** From 1. What is not needed for a median is measured in the first alone. */
  readonly run: number;
  /** Of `backlog` and `search`; null: their own. */
  readonly messages: number | null;
  /** Connections of the load generator. */
  readonly connections: number;
  /** Of the systems under test. */
  readonly partitions: number;
  readonly profileFolder: string | undefined;
  /** What one bench found and a later one of the same run uses. */
  readonly found: Found;
  /** Progress, for the person who waits. */
  readonly say: (text: string) => void;
  /** Told the versions of the servers in use. */
  readonly onVersions: (versions: { readonly natsServer: string; readonly postgres: string }) => void;
}

/** Rates of this run, and as hints for the next. */
export interface Found {
  /** Accepted by the role ingress. */
  acceptMps?: number;
  /** Of accepting, and of applying, each alone: the slower one. */
  slowestStage?: { readonly what: string; readonly rateMps: number };
  /** Kept up by e2e, in one process with all roles and with ingress in a process of its own. */
  topMps?: { readonly oneProcess: number; readonly twoProcesses: number };
  /** Sent through an unlimited bucket. */
  sendMps?: number;
  /** Kept up by the BullMQ pipeline. */
  peerTopMps?: number;
}

export interface Bench {
  readonly name: string;
  readonly about: string;
  /** On a quiet machine with two cores: the first run of a suite, and each of the others. */
  readonly takes: { readonly firstSeconds: number; readonly laterSeconds: number };
  /** Benches whose figures of the same run it is held against. */
  readonly needs?: readonly string[];
  /** Run once in the whole suite, however often the others are: it takes long, and repeats its cases by itself. */
  readonly once?: true;
  run(context: BenchContext): Promise<Omit<BenchResult, "name" | "about">>;
}

/** A fresh system whose versions are noted. */
export async function freshSystem(context: BenchContext): Promise<SystemUnderTest> {
  const system = await startSystem(context);
  context.onVersions({ natsServer: system.embedded.natsVersion, postgres: system.postgresVersion });
  return system;
}

/** Calls that nobody takes: for benches that only receive. */
const NO_CARRIER = "http://127.0.0.1:9";

/** An installation that only receives. */
export function installForReceiving(program: Program): Promise<Installation> {
  return install({ api: program.api, carrierUrl: NO_CARRIER, rateMps: 1, burst: 1 });
}

/** Opens all conversations, so that what follows measures messages and not the opening of sessions. */
export async function warmUp(
  context: BenchContext,
  installation: Installation,
  listener: EventListener,
): Promise<void> {
  context.say(`opening ${CONVERSATIONS} conversations`);
  const before = listener.received;
  const { accepted } = await openConversations(installation, context.connections);
  if (!await listener.until(before + accepted, 60_000)) {
    throw new Error("the warm-up's messages did not come through");
  }
}

const WAIT_MS_MAX = 60_000;

/** Waits for what must come; rejects when it does not. */
export async function untilThere(holds: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + WAIT_MS_MAX;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
