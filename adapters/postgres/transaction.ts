/**
 * Transactions of postgres.js that outlive the loss of their connection.
 *
 * postgres.js 3.4.9 ends every transaction with a `commit` or a `rollback`, also where its connection was lost before.
 * What is written to a connection that is closed fails outside of every promise, and the process dies of it.
 *
 * @module
 */
import type { Sql, SqlTransaction } from "./database.ts";

/**
 * Runs `run` in a transaction on one connection; it is rolled back when `run` rejects. Rejects when the connection is
 * lost, whatever `run` makes of it; every query of it that is still waited for rejects too, and none is written any
 * more. `options`: e.g. "isolation level serializable".
 */
export function inTransaction<T>(
  pool: Sql,
  run: (tx: SqlTransaction) => Promise<T>,
  options = "",
): Promise<T> {
  const loss = new Loss();
  const ended = pool.begin(options, async (tx) => {
    try {
      return await run(refusingAfter(loss, tx));
    } finally {
      // The end of the connection ends the transaction; there is nothing to commit or to roll back.
      if (loss.known) await new Promise<never>(() => {});
    }
  });
  // Told as soon as the connection closes, also between two queries; after any other end nothing is asked any more.
  ended.catch((error) => loss.note(error));
  return ended as Promise<T>;
}

/** What is known of the loss of a transaction's connection. */
class Loss {
  readonly #told = Promise.withResolvers<never>();
  #known = false;

  constructor() {
    // There need be nobody who waits for it.
    this.#told.promise.catch(() => {});
  }

  get known(): boolean {
    return this.#known;
  }

  /** Rejects with the loss; never resolves. */
  get told(): Promise<never> {
    return this.#told.promise;
  }

  note(error: unknown): void {
    this.#known = true;
    this.#told.reject(error);
  }
}

/** `tx` whose queries reject once there is a loss, instead of being written. */
function refusingAfter(loss: Loss, tx: SqlTransaction): SqlTransaction {
  return new Proxy(tx, {
    apply: (target, self, values) =>
      loss.known ? loss.told : watched(loss, Reflect.apply(target, self, values)),
    get: (target, key) => {
      const value = Reflect.get(target, key);
      if (key !== "unsafe") return value;
      return (...values: Parameters<SqlTransaction["unsafe"]>) =>
        loss.known ? loss.told : watched(loss, target.unsafe(...values));
    },
  });
}

/**
 * `query`, which tells of a loss before its caller can ask anything more: the closing of the connection is heard of
 * later than an answer. It starts, as ever, when it is waited for, since it may be a part of another. A mere name stays
 * as it is.
 */
function watched<Q>(loss: Loss, query: Q): Q {
  if (!(query instanceof Promise)) return query;
  const { then } = query;
  query.then = (...reactions) => {
    const answer = then.call(query, undefined, (error) => {
      if (isConnectionLost(error)) loss.note(error);
      throw error;
    });
    // What waits for its turn on a connection that closes is never answered.
    return Promise.race([answer, loss.told]).then(...reactions);
  };
  return query;
}

/** Whether a query failed because its connection is gone, or is about to be closed by the server. */
function isConnectionLost(error: unknown): boolean {
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown };
  return severity === "FATAL" || /^(CONNECTION_|ECONN|EPIPE|ETIMEDOUT)/.test(String(code));
}
