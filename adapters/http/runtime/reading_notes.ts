/**
 * Notes in the audit log that somebody read what others are writing to each other.
 *
 * @module
 */
import type { ApiKey } from "../../../core/directory.ts";
import type { ConfigurationStore } from "../../../core/ports/configuration.ts";
import type { SessionRow } from "../../../core/session.ts";

/** Who looks on for a while is noted once in this time. */
const ONCE_MS = 15 * 60_000;
/** Pairs of reader and session that are remembered; beyond, some are noted twice. */
const REMEMBERED_MAX = 10_000;

export class ReadingNotes {
  readonly #configuration: Pick<ConfigurationStore, "note">;
  readonly #now: () => number;
  readonly #noted = new Map<string, number>();

  constructor(configuration: Pick<ConfigurationStore, "note">, now: () => number) {
    this.#configuration = configuration;
    this.#now = now;
  }

  /** Resolves when it is on record that `key` reads a session that somebody else is in; at once where nothing is to be noted. */
  async of(key: ApiKey, session: SessionRow): Promise<void> {
    if (key.role === "agent" || key.role === "platform") return;
    const { id, state, extension_id: extensionId } = session;
    if (state === "closed" || extensionId === null) return;
    const pair = `${key.id}:${id}`;
    const now = this.#now();
    if ((this.#noted.get(pair) ?? -Infinity) > now - ONCE_MS) return;
    await this.#configuration.note(`key:${key.id}`, {
      action: "read",
      kind: "session",
      target: id,
      before: null,
      after: { extensionId },
    });
    this.#noted.delete(pair);
    this.#noted.set(pair, now);
    for (const oldest of this.#noted.keys()) {
      if (this.#noted.size <= REMEMBERED_MAX) break;
      this.#noted.delete(oldest);
    }
  }
}
