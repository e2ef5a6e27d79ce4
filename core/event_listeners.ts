/**
 * Who listens to events in this process, and what each has: every event reaches each listener once, those of a
 * conversation in order, whether it comes with the stream or ahead of it. Pure but for its memory.
 *
 * @module
 */
import { EventsAhead } from "./events_ahead.ts";
import { type EventPlace, placeText } from "./event_place.ts";
import { type CloudEvent, toCloudEvent } from "./events.ts";
import type { OutboxRow } from "./outbox.ts";
import type { StreamedEvent } from "./ports/events.ts";

type OnEvent = (event: StreamedEvent) => void;

interface Listener extends EventPlace {
  /** It was told what has a higher number in {@link EventsAhead}. */
  readonly since: number;
  readonly onEvent: OnEvent;
}

export class EventListeners {
  readonly #generation: string;
  readonly #listeners = new Set<Listener>();
  readonly #ahead: EventsAhead;
  #next: number;

  /**
   * @param next the first sequence of the stream that is going to be {@link streamed}
   * @param aheadMax so many are told ahead of the stream at once
   */
  constructor(generation: string, next: number, aheadMax?: number) {
    this.#generation = generation;
    this.#next = next;
    this.#ahead = new EventsAhead(aheadMax);
  }

  /** The sequence that the stream brings next, or a later one. */
  get next(): number {
    return this.#next;
  }

  /** Begins to listen: from `place.from` on, which the stream has not brought yet. What it returns ends it. */
  attach(place: EventPlace, onEvent: OnEvent): () => void {
    // It was not told what is under way, and is to get that before what is committed from now on.
    if (!this.#ahead.isEmpty) this.#ahead.close();
    const listener = { ...place, since: this.#ahead.last, onEvent };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** This process committed `row` under `epoch`, and is about to publish it. */
  committed({ partition, sequence, payload: { events } }: OutboxRow, epoch: number): void {
    const ids = events.map(({ id }) => id);
    this.#ahead.committed({ partition, epoch, sequence, ids }, (index) => {
      this.#tell(this.#listeners, this.#next - 1, toCloudEvent(events[index]!));
    });
  }

  /** The stream brings what stands at `sequence`; null where it is no event. */
  streamed(sequence: number, event: CloudEvent | null): void {
    this.#next = sequence + 1;
    if (event === null) return;
    const number = this.#ahead.streamed(event.id);
    const waiting = [...this.#listeners].filter(({ from, since, had }) =>
      !had.delete(event.id) && from <= sequence && (number === null || number <= since)
    );
    this.#tell(waiting, sequence, event);
  }

  #tell(listeners: Iterable<Listener>, sequence: number, event: CloudEvent): void {
    // Most of the time it is the place of all.
    const place = placeText(this.#generation, sequence);
    for (const listener of listeners) {
      const { from, had, since } = listener;
      // One that comes from another process may be further than this one is.
      const isPlain = this.#ahead.isEmpty && had.size === 0 && from <= sequence + 1;
      const position = isPlain ? place : placeText(
        this.#generation,
        Math.max(sequence, from - 1),
        [...had, ...this.#ahead.toldSince(since)],
      );
      listener.onEvent({ position, event });
    }
  }
}

/** For one that has to catch up first: what the stream kept. Calls back with what it has not. */
export function catchUp(
  { had }: EventPlace,
  { generation, sequence, event }: { generation: string; sequence: number; event: CloudEvent },
  onEvent: OnEvent,
): void {
  if (!had.delete(event.id)) onEvent({ position: placeText(generation, sequence, had), event });
}
