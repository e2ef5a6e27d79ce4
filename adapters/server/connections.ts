/**
 * Tells the dispatcher which agents this process serves event streams to.
 *
 * @module
 */
import { CONNECTIONS_EVERY_MS } from "../../core/dispatch/connections.ts";
import type { DispatchLog } from "../../core/ports/dispatch_log.ts";

/** Streams that come or go together are told together. */
const GATHER_MS = 100;

export interface ConnectionReporterOptions {
  /** This process. */
  readonly member: string;
  readonly entries: DispatchLog;
  readonly now: () => number;
}

export class ConnectionReporter {
  readonly #options: ConnectionReporterOptions;
  /** Streams by extension. */
  readonly #streams = new Map<string, number>();
  readonly #timer: ReturnType<typeof setInterval>;
  #soon: ReturnType<typeof setTimeout> | null = null;

  constructor(options: ConnectionReporterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      if (this.#streams.size > 0) this.#report();
    }, CONNECTIONS_EVERY_MS);
  }

  /** A stream of this extension began; to be called when it ends. */
  began(extensionId: string): () => void {
    this.#count(extensionId, 1);
    return () => this.#count(extensionId, -1);
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#soon = null;
  }

  #count(extensionId: string, more: 1 | -1): void {
    const before = this.#streams.get(extensionId) ?? 0;
    if (before + more === 0) this.#streams.delete(extensionId);
    else this.#streams.set(extensionId, before + more);
    if (before === 0 || before + more === 0) this.#reportSoon();
  }

  #reportSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.#report();
    }, GATHER_MS);
  }

  #report(): void {
    const { member, entries, now } = this.#options;
    entries.tell([{ kind: "connections", at: now(), member, extensionIds: [...this.#streams.keys()] }])
      // The broker is away. The next report says the same.
      .catch(() => this.#reportSoon());
  }
}
