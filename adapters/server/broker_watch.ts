/**
 * Whether the broker and the database can be reached now.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { Sql } from "../postgres/database.ts";

export interface PartCheck {
  readonly ok: boolean;
  readonly detail: string;
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
export async function checkDatabase(sql: Sql): Promise<PartCheck> {
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
