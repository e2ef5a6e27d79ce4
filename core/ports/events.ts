/**
 * Reading the event stream, for server-sent events.
 *
 * @module
 */
import type { CloudEvent } from "../events.ts";

export interface StreamedEvent {
  /**
   * What a client sends back as `Last-Event-ID`: its place in the stream, `<stream generation>-<sequence>`, and of each
   * event that it had before the stream, `.` and the id.
   */
  readonly position: string;
  readonly event: CloudEvent;
}

export interface EventSource {
  /** Place of the newest event so far: subscribing after it misses nothing that comes from now on. Rejects when the stream cannot be reached. */
  position(): Promise<string>;
  /**
   * Calls `onEvent` once for every event after `after`, those of a conversation in order and with none missed; without
   * `after`, for those from now on. An `after` that is no longer kept starts at the oldest event kept. Returns when
   * `signal` is aborted or the source ends.
   */
  subscribe(options: {
    readonly after?: string;
    readonly onEvent: (event: StreamedEvent) => void;
    readonly signal: AbortSignal;
  }): Promise<void>;
}
