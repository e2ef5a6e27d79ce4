/**
 * A channel's status as its calls show it.
 *
 * @module
 */
import type { ChannelStatus } from "../channel.ts";
import { type Circuit, type Fault, isAccountFault } from "./circuit.ts";
import type { Throttle } from "./throttle.ts";

export interface Health {
  readonly status: Exclude<ChannelStatus, "disabled">;
  /** One plain sentence for a person. */
  readonly reason: string;
}

/** What is known of the channel; null while no call was made. `wallMs` and `nowMs` are the same moment. */
export function healthOf(
  circuit: Circuit,
  throttle: Throttle | null,
  nowMs: number,
  wallMs: number,
): Health | null {
  if (circuit.kind !== "closed") {
    const since = new Date(wallMs - (nowMs - circuit.sinceMs)).toISOString();
    const reason = `only tried now and then since ${since}: ${circuit.fault.reason}`;
    return { status: statusOf(circuit.fault), reason };
  }
  if (circuit.fault !== null) {
    return { status: statusOf(circuit.fault), reason: `the last call failed: ${circuit.fault.reason}` };
  }
  if (throttle !== null) {
    const reason = `slowed down: the provider refused calls at ${
      round(throttle.ceilingMps)
    } a second as too many; it grows back by itself`;
    return { status: "degraded", reason };
  }
  return circuit.tried ? { status: "connected", reason: "the provider answers" } : null;
}

function statusOf(fault: Fault): Health["status"] {
  return isAccountFault(fault) && (fault.class === "auth" || fault.class === "account")
    ? "auth-failed"
    : "degraded";
}

function round(mps: number): number {
  return Math.round(mps * 100) / 100;
}
