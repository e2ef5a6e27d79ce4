/**
 * The configuration as one snapshot in memory, loaded from PostgreSQL.
 *
 * A change anywhere raises `directory_version`. This process hears of it at once (`nudge`, called on a NATS
 * message) or at the latest with the next look at the version. While the database is away the last snapshot stays.
 *
 * @module
 */
import type { Directory } from "../../core/directory.ts";
import { EMPTY_DIRECTORY } from "../../core/directory.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { FreshDirectory } from "../../core/ports/directory.ts";
import type { SecretBox } from "../../core/ports/secret_box.ts";
import type { Database } from "./database.ts";
import { loadDirectory } from "./directory_loader.ts";

/** Between two looks at the version, if nobody says that something changed. */
const POLL_MS = 5_000;

export interface DirectoryStoreOptions {
  readonly db: Database;
  readonly box: SecretBox;
  readonly clock: Pick<Clock, "after">;
  /** Told when a load fails; the last snapshot stays in force. */
  readonly onError: (error: unknown) => void;
  /** @default {5_000} */
  readonly pollMs?: number;
}

export class DirectoryStore implements FreshDirectory, Disposable {
  readonly #options: DirectoryStoreOptions;
  readonly #listeners = new Set<(directory: Directory) => void>();
  #directory: Directory = EMPTY_DIRECTORY;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #cancelPoll = () => {};
  #stopped = false;

  constructor(options: DirectoryStoreOptions) {
    this.#options = options;
  }

  current(): Directory {
    return this.#directory;
  }

  onChange(listener: (directory: Directory) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Loads the first snapshot and begins to look for changes. Rejects when it cannot be loaded. */
  async start(): Promise<void> {
    await this.refresh();
    this.#schedule();
  }

  /**
   * Resolves once `current()` has everything that was committed before this call. Calls that come while a load is
   * under way share the one after it.
   */
  refresh(): Promise<void> {
    if (this.#next !== null) return this.#next;
    if (this.#running === null) return this.#run();
    this.#next = this.#running.catch(() => {}).then(() => {
      this.#next = null;
      return this.#run();
    });
    return this.#next;
  }

  /** Something changed, says another process. */
  nudge(): void {
    if (this.#stopped) return;
    this.refresh().catch(this.#options.onError);
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#cancelPoll();
    this.#listeners.clear();
  }

  #run(): Promise<void> {
    this.#running = this.#load().finally(() => this.#running = null);
    return this.#running;
  }

  async #load(): Promise<void> {
    const { db, box } = this.#options;
    const loaded = await loadDirectory(db, box, this.#directory.version);
    if (loaded === null || this.#stopped) return;
    this.#directory = loaded;
    for (const listener of this.#listeners) {
      try {
        listener(loaded);
      } catch (error) {
        this.#options.onError(error);
      }
    }
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#cancelPoll = this.#options.clock.after(this.#options.pollMs ?? POLL_MS, () => {
      this.refresh().catch(this.#options.onError).then(() => this.#schedule());
    });
  }
}
