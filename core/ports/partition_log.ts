/**
 * Reading one partition's log.
 *
 * @module
 */
export interface LogMessage {
  readonly partition: number;
  readonly sequence: number;
  readonly data: Uint8Array;
}

export interface LogState {
  /** Changes when the log was deleted and made anew. */
  readonly created: string;
  readonly lastSequence: number;
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
  /**
   * Hands over every message after `afterSequence`, in order and with none missed, until stopped. `created` is the log
   * that is meant: when it turns out to be another one, or to end before what was handed over, `onReplaced` is called
   * with the reason in place of any further message.
   */
  open(options: {
    readonly partition: number;
    readonly epoch: number;
    readonly created: string;
    readonly afterSequence: number;
    readonly onMessage: (message: LogMessage) => void;
    readonly hasRoom: () => boolean;
    readonly onReplaced: (reason: string) => void;
  }): Promise<OpenLog>;
}

/** Why a log is not the one that was `created` then and read up to `sequence`; null when it is. */
export function replacement(created: string, sequence: number, state: LogState): string | null {
  if (state.created !== created) return `it was made anew at ${state.created}`;
  if (state.lastSequence < sequence) return `it ends at ${state.lastSequence}, before ${sequence}`;
  return null;
}
