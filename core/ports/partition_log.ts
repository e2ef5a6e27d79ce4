/**
 * Reading one partition's log.
 *
 * @module
 */
export interface LogMessage {
  readonly partition: number;
  readonly sequence: number;
  readonly data: Uint8Array;
  /** When the log stored it, ns since 1970 as digits. In another history the same place was stored at another time. */
  readonly stored: string;
}

export interface LogState {
  /** Changes when the log was deleted and made anew. */
  readonly created: string;
  /** The first that the log still has; after the last one when it has none. */
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/** What is remembered of a log: which one it was, and the last entry taken from it. */
export interface LogMark {
  readonly created: string;
  /** 0: none was taken. */
  readonly sequence: number;
  /** As in {@link LogMessage}; null when it is not known. */
  readonly stored: string | null;
}

export interface OpenLog {
  /** Reads on after `hasRoom` said no. */
  pump(): void;
  /** Starts anew after the last message handed over. */
  restart(reason: string): void;
  stop(): void;
}

export interface PartitionLog {
  state(partition: number): Promise<LogState>;
  /** All logs there are, by partition. */
  states(): Promise<ReadonlyMap<number, LogState>>;
  /** When an entry was stored, as in {@link LogMessage}; null when the log does not have it. */
  storedAt(partition: number, sequence: number): Promise<string | null>;
  /**
   * Hands over every message after `afterSequence`, in order and with none missed, until stopped. `mayRead` is asked
   * each time that the log was reached anew, before anything is handed over, since it may be another log by then; what
   * is handed over until it is asked again comes from the log that it looked at. False ends the reading; when it
   * rejects the log is reached anew.
   */
  open(options: {
    readonly partition: number;
    readonly epoch: number;
    readonly afterSequence: number;
    readonly onMessage: (message: LogMessage) => void;
    readonly hasRoom: () => boolean;
    readonly mayRead: () => Promise<boolean>;
  }): Promise<OpenLog>;
}

/**
 * Why a log is not the one that `mark` is of; null when it is. `stored` is when the entry at the mark was stored.
 *
 * An entry that expired cannot be compared, and need not be: then all that the log has comes after the mark, and
 * reading on from there misses nothing of it.
 */
export function replacement(mark: LogMark, state: LogState, stored: string | null): string | null {
  const { created, sequence } = mark;
  if (state.created !== created) return `it was made anew at ${state.created}`;
  if (state.lastSequence < sequence) return `it ends at ${state.lastSequence}, before ${sequence}`;
  if (mark.stored === null || mark.stored === stored || sequence < state.firstSequence) return null;
  if (stored === null) return `its entry ${sequence} is gone`;
  return `its entry ${sequence} is another one, stored at ${isoTime(stored)} and not at ${
    isoTime(mark.stored)
  }`;
}

const NS_DIGITS_OF_MS = 6;

function isoTime(stored: string): string {
  return new Date(Number(stored.slice(0, -NS_DIGITS_OF_MS))).toISOString();
}
