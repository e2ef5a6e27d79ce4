/**
 * Whether the process can do its work now, part by part.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { Sql } from "../postgres/database.ts";
import type { Readiness } from "../http/deps.ts";
import type { Durability } from "./durability.ts";
import type { Membership } from "./membership.ts";

type PartCheck = Readiness["checks"][string];

/** Asks every part. */
export async function readinessOf(
  parts: {
    readonly broker: BrokerWatch;
    readonly sql: Sql;
    readonly membership: Membership;
    readonly durability: Durability;
  },
): Promise<Readiness> {
  const checks = {
    broker: parts.broker.check(),
    database: await checkDatabase(parts.sql),
    membership: checkMembership(parts.membership),
    // A warning is no reason to send the traffic elsewhere.
    durability: { ok: true, detail: parts.durability.text },
  };
  return { ready: Object.values(checks).every((check) => check.ok), checks };
}

/** Sharing out takes a moment when members come and go; longer than this it is a fault. */
const UNSETTLED_MS_MAX = 5_000;

function checkMembership({ members, states }: Membership): PartCheck {
  if (!members.isSure()) {
    return { ok: false, detail: "its signs of life are not taken; it works on no partition meanwhile" };
  }
  const nowMs = performance.now();
  const detail = states.map(({ kind, held, wished }) =>
    held === wished ? `${kind}: ${held}` : `${kind}: ${held} of ${wished}`
  );
  return {
    ok: states.every(({ unsettledSinceMs }) =>
      unsettledSinceMs === null || nowMs - unsettledSinceMs < UNSETTLED_MS_MAX
    ),
    detail: [`${members.living().length} alive`, ...detail].join("; "),
  };
}

/** Follows the connection's state; `onReconnect` is called each time it is back. */
export class BrokerWatch {
  #lostAt: Date | null = null;

  constructor(connection: NatsConnection, onReconnect: () => void, now: () => number) {
    (async () => {
      for await (const status of connection.status()) {
        if (status.type === "disconnect") this.#lostAt ??= new Date(now());
        if (status.type === "reconnect") {
          this.#lostAt = null;
          onReconnect();
        }
      }
    })();
  }

  check(): PartCheck {
    return this.#lostAt === null
      ? { ok: true, detail: "connected" }
      : { ok: false, detail: `not reached since ${this.#lostAt.toISOString()}` };
  }
}

const CHECK_TIMEOUT_MS = 1_000;

/** Asks the database something, and does not wait long for the answer. */
async function checkDatabase(sql: Sql): Promise<PartCheck> {
  const { promise: late, resolve } = Promise.withResolvers<PartCheck>();
  const timer = setTimeout(
    () => resolve({ ok: false, detail: `no answer within ${CHECK_TIMEOUT_MS} ms` }),
    CHECK_TIMEOUT_MS,
  );
  const asked: Promise<PartCheck> = sql`select 1`.then(
    () => ({ ok: true, detail: "connected" }),
    (error: Error) => ({ ok: false, detail: `not reached: ${error.message}` }),
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
