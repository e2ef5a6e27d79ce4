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
  /** Connections of the load generator. */
  readonly connections: number;
  readonly profileFolder: string | undefined;
  /** What one bench found and a later one of the same run uses. */
  readonly found: { topRateMps?: number };
  /** Progress, for the person who waits. */
  readonly say: (text: string) => void;
  /** Told the versions of the servers in use. */
  readonly onVersions: (versions: { readonly natsServer: string; readonly postgres: string }) => void;
}

export interface Bench {
  readonly name: string;
  readonly about: string;
  run(context: BenchContext): Promise<Omit<BenchResult, "name" | "about">>;
}

/** A fresh system whose versions are noted. */
export async function freshSystem(context: BenchContext): Promise<SystemUnderTest> {
  const system = await startSystem({ profileFolder: context.profileFolder, say: context.say });
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
