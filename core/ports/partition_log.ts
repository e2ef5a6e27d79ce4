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
  /** Hands over every message after `afterSequence`, in order and with none missed, until stopped. */
  open(options: {
    readonly partition: number;
    readonly epoch: number;
    readonly afterSequence: number;
    readonly onMessage: (message: LogMessage) => void;
    readonly hasRoom: () => boolean;
  }): Promise<OpenLog>;
}
