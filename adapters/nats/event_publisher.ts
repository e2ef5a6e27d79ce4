/**
 * Publishes what commits have to tell: events to the EVENTS stream, in order, answers to commands, and what goes into
 * the logs of the dispatcher and of conversations.
 *
 * Every event is a message of its own. With an fsync each that would be the slowest part of the whole
 * pipeline, so groups go out as one atomic batch where the server has them. A batch has a fixed price: measured
 * with fsync on 2.15, CPU of the server per event is 100 µs for singles, 120 in batches of 10, 90 of 20, 33 of 50.
 * So few go as singles at once, and where more wait the publisher collects a little longer.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { DispatchEntry } from "../../core/dispatch/entry.ts";
import type { CommandEntry, CommandReply } from "../../core/entry.ts";
import { type PatchbayEvent, toCloudEvent } from "../../core/events.ts";
import { GroupCommit } from "../../core/group_commit.ts";
import { Inflow } from "../../core/inflow.ts";
import { Pace } from "../../core/pace.ts";
import type { OutboxPayload } from "../../core/outbox.ts";
import { AckedPublisher, PublishError } from "./acked_publisher.ts";
import { readyHeaders } from "./ready_headers.ts";
import type { Names } from "./topology.ts";

interface Outgoing {
  readonly id: string;
  readonly subject: string;
  readonly body: Uint8Array;
}

const SINGLES_BELOW = 12;
/** When at least so many wait … */
const BUSY_FROM = 4;
/**
 * … writes start this far apart, the further the more comes: so many ms for each event that comes in a ms, less what
 * keeps up to 1,000 a second at the least distance.
 */
const COLLECT = { leastMs: 3, msOfEventsPerMs: 12, lessMs: 8, mostMs: 60 };
/** The server takes 1,000 messages in a batch. */
const MAX_BATCH = 500;
/** Further where writes take long: others load the server too, and each of them has little to tell at a time. */
const PACE = { leastMs: 0, freeMs: 24, times: 3, mostMs: 60 };
const TIMEOUT_MS = 5_000;
const RETRY_PAUSE_MS = 300;

export interface EventPublisherOptions {
  readonly connection: NatsConnection;
  readonly names: Names;
  /** Whether the server takes atomic batches. */
  readonly atomic: boolean;
  /** Hands an answer to this very process over; false when it is another's and has to travel. */
  readonly deliver: (to: string, reply: CommandReply) => boolean;
  /** Puts entries in the dispatcher's log; tried until it works. Left out where there is no dispatcher. */
  readonly dispatch?: (entries: readonly DispatchEntry[]) => Promise<void>;
  /** Puts a command in its conversation's log; tried until it works. */
  readonly command: (entry: CommandEntry) => Promise<void>;
}

export class EventPublisher {
  readonly #deliver: EventPublisherOptions["deliver"];
  readonly #dispatch: EventPublisherOptions["dispatch"];
  readonly #command: EventPublisherOptions["command"];
  readonly #connection: NatsConnection;
  readonly #publisher: AckedPublisher;
  readonly #names: Names;
  readonly #atomic: boolean;
  readonly #commit: GroupCommit<Outgoing>;
  readonly #encoder = new TextEncoder();
  #batches = 0;
  readonly #pace = new Pace(PACE);
  /** Events. */
  readonly #inflow = new Inflow();
  #draining = false;

  constructor({ connection, names, atomic, deliver, dispatch, command }: EventPublisherOptions) {
    this.#deliver = deliver;
    this.#dispatch = dispatch;
    this.#command = command;
    this.#connection = connection;
    this.#publisher = new AckedPublisher(connection, TIMEOUT_MS);
    this.#names = names;
    this.#atomic = atomic;
    this.#commit = new GroupCommit<Outgoing>({
      maxItems: MAX_BATCH,
      maxSize: 4_194_304,
      sizeOf: (item) => item.body.length,
      write: (items) => this.#write(items),
      linger: (waiting) => {
        // A full batch gains nothing by waiting.
        if (waiting < BUSY_FROM || waiting >= MAX_BATCH) return null;
        const everyMs = Math.max(this.#collectMs, this.#pace.everyMs);
        const earlyMs = this.#pace.earlyMs(performance.now(), everyMs);
        return earlyMs <= 0 ? null : pause(earlyMs);
      },
    });
  }

  /** Events that wait for their fsync. */
  get pending(): number {
    return this.#commit.pending;
  }

  /** Whether anybody is told of sessions' moves. */
  get hasDispatcher(): boolean {
    return this.#dispatch !== undefined;
  }

  /** Sends the replies at once and resolves when all the rest is in its streams. Safe to repeat. */
  async publish(payload: OutboxPayload): Promise<void> {
    for (const { to, body } of payload.replies ?? []) {
      if (!this.#deliver(to, body)) this.#connection.publish(to, JSON.stringify(body));
    }
    let last: Promise<void> | null = null;
    const all: Promise<void>[] = [];
    for (const event of payload.events) {
      for (const outgoing of this.#encode(event)) {
        const promise = this.#commit.add(outgoing);
        if (promise !== last) all.push(last = promise);
      }
    }
    const { dispatch, commands } = payload;
    const dispatcher = this.#dispatch;
    if (dispatch !== undefined && dispatcher !== undefined) {
      all.push(this.#insist(() => dispatcher(dispatch)));
    }
    for (const entry of commands ?? []) all.push(this.#insist(() => this.#command(entry)));
    await Promise.all(all);
  }

  /** Tries until it works, or until everything is about to end. */
  async #insist(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (this.#draining) throw error;
        await pause(RETRY_PAUSE_MS);
      }
    }
  }

  *#encode(event: PatchbayEvent): Iterable<Outgoing> {
    const body = this.#encoder.encode(JSON.stringify(toCloudEvent(event)));
    yield {
      id: event.id,
      subject: this.#names.eventSubject(event.channelId, event.number, event.type),
      body,
    };
    const platformId = event.audience.platformId;
    if (platformId) {
      yield { id: `${event.id}.p`, subject: this.#names.platformSubject(platformId, event.type), body };
    }
  }

  /** From now on nothing is tried twice: what fails stays in the outbox. */
  drain(): void {
    this.#draining = true;
  }

  stop(): void {
    this.#draining = true;
    this.#publisher.stop();
  }

  get #collectMs(): number {
    const { leastMs, msOfEventsPerMs, lessMs, mostMs } = COLLECT;
    return Math.min(mostMs, Math.max(leastMs, msOfEventsPerMs * this.#inflow.perMs - lessMs));
  }

  /** Tries until it works, since the next group must not overtake this one. */
  async #write(items: readonly Outgoing[]): Promise<void> {
    const startedMs = performance.now();
    this.#pace.started(startedMs);
    this.#inflow.started(startedMs, items.length);
    await this.#insist(() => this.#writeOnce(items));
    this.#pace.took(performance.now() - startedMs);
  }

  async #writeOnce(items: readonly Outgoing[]): Promise<void> {
    if (this.#atomic && items.length >= SINGLES_BELOW) {
      if (await this.#writeBatch(items)) return;
    }
    await Promise.all(
      items.map(({ subject, body, id }) =>
        this.#publisher.publish(subject, body, readyHeaders([["Nats-Msg-Id", id]]))
      ),
    );
  }

  /** False when the server refused the batch as a whole: then nothing of it is stored. */
  async #writeBatch(items: readonly Outgoing[]): Promise<boolean> {
    const batch = `${this.#connection.info?.client_id ?? 0}-${performance.timeOrigin.toString(36)}-${++this
      .#batches}`;
    const headersOf = (index: number) => readyHeaders(batchHeaders(batch, index + 1, items[index]!.id));
    const last = items.length - 1;
    for (let i = 0; i < last; i++) {
      const { subject, body } = items[i]!;
      this.#connection.publish(subject, body, { headers: headersOf(i) });
    }
    const { subject, body, id } = items[last]!;
    const commit = readyHeaders([...batchHeaders(batch, items.length, id), ["Nats-Batch-Commit", "1"]]);
    try {
      await this.#publisher.publish(subject, body, commit);
      return true;
    } catch (error) {
      // Refused for instance when one of the events is in the stream already, after a crash.
      if (error instanceof PublishError && error.code !== 0) return false;
      throw error;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function batchHeaders(batch: string, sequence: number, id: string): [name: string, value: string][] {
  return [
    ["Nats-Batch-Id", batch],
    ["Nats-Batch-Sequence", String(sequence)],
    ["Nats-Msg-Id", id],
  ];
}
