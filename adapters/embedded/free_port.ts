import { EmbeddedStartError } from "./start_error.ts";

const LOWEST = 15_000;
const FALLBACK_EPHEMERAL_START = 32_768;
const TRIES = 200;

/** Whether nobody listens on `port` of the loopback address now. */
export function isPortFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** The first port that the system hands out to outgoing connections. */
function ephemeralStart(): number {
  try {
    const first = Number(Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range").split(/\s+/)[0]);
    return first > LOWEST + 1_000 ? first : FALLBACK_EPHEMERAL_START;
  } catch {
    return FALLBACK_EPHEMERAL_START;
  }
}

/**
 * A port of the loopback address on which nobody listens, below the range of outgoing connections.
 *
 * Why below: a server that died is started again on its port while clients keep trying to reach it. From the
 * ephemeral range one of them can be given that very port as its own, connects to itself, and the server
 * cannot have its port back.
 *
 * @throws EmbeddedStartError when no free port was found
 */
export function freePort(): number {
  const span = ephemeralStart() - LOWEST;
  for (let i = 0; i < TRIES; i++) {
    const port = LOWEST + Math.floor(Math.random() * span);
    if (isPortFree(port)) return port;
  }
  throw new EmbeddedStartError(`No free port between ${LOWEST} and ${LOWEST + span} on 127.0.0.1.`);
}
