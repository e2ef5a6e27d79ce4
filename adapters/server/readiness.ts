/**
 * Whether the process can do its work now, part by part.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { Sql } from "../postgres/database.ts";
import type { Readiness } from "../http/deps.ts";
import type { Router } from "./router.ts";
import type { Sender } from "./sender.ts";

type PartCheck = Readiness["checks"][string];

/** Asks every part; `router` and `sender` are null in a process without the role. */
export async function readinessOf(
  parts: {
    readonly broker: BrokerWatch;
    readonly sql: Sql;
    readonly router: Router | null;
    readonly sender: Sender | null;
  },
): Promise<Readiness> {
  const checks = {
    broker: parts.broker.check(),
    database: await checkDatabase(parts.sql),
    ...(parts.router === null ? {} : { router: checkRouter(parts.router) }),
    ...(parts.sender === null ? {} : { sender: checkSender(parts.sender) }),
  };
  return { ready: Object.values(checks).every((check) => check.ok), checks };
}

function checkRouter({ owners }: Router): PartCheck {
  const lost = Object.entries(owners).filter(([, owner]) => owner.state !== "running");
  return lost.length === 0
    ? { ok: true, detail: "all partitions are applied" }
    : { ok: false, detail: lost.map(([kind, owner]) => `${kind}: ${owner.state}`).join(", ") };
}

function checkSender(sender: Sender): PartCheck {
  return sender.whole()
    ? { ok: true, detail: "all lanes are owned" }
    : { ok: false, detail: "another process took send lanes over" };
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
