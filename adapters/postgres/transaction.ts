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
 * lost. `options`: e.g. "isolation level serializable".
 */
export function inTransaction<T>(
  pool: Sql,
  run: (tx: SqlTransaction) => Promise<T>,
  options = "",
): Promise<T> {
  const loss: { error: unknown } = { error: null };
  // The end of the connection ends the transaction; there is nothing to commit or to roll back.
  const untilLost = new Promise<never>(() => {});
  const ended = pool.begin(options, async (tx) => {
    try {
      const result = await run(refusingWhen(loss, tx));
      return loss.error === null ? result : await untilLost;
    } catch (error) {
      if (loss.error !== null || isConnectionLost(error)) await untilLost;
      throw error;
    }
  });
  // Told as soon as the connection closes, also between two queries; after any other end nothing is asked any more.
  ended.catch((error) => loss.error ??= error);
  return ended as Promise<T>;
}

/** `tx` whose queries reject once there is a loss, instead of being written. */
function refusingWhen(loss: { readonly error: unknown }, tx: SqlTransaction): SqlTransaction {
  const refused = () => {
    const rejected = Promise.reject(loss.error);
    // A part of a query is not awaited by itself.
    rejected.catch(() => {});
    return rejected;
  };
  return new Proxy(tx, {
    apply: (target, self, values) => loss.error === null ? Reflect.apply(target, self, values) : refused(),
    get: (target, key) => {
      const value = Reflect.get(target, key);
      if (key !== "unsafe") return value;
      return (...values: Parameters<SqlTransaction["unsafe"]>) =>
        loss.error === null ? target.unsafe(...values) : refused();
    },
  });
}

/** Whether a query failed because its connection is gone, or is about to be closed by the server. */
export function isConnectionLost(error: unknown): boolean {
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown };
  return severity === "FATAL" || /^(CONNECTION_|ECONN|EPIPE|ETIMEDOUT)/.test(String(code));
}
