/**
 * The body of a stream of server-sent events: takes chunks as they come, hands them over as the client reads,
 * several joined into one write when it reads slower than they come, and gives up a client that stops reading.
 *
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 *
 * @module
 */
export interface EventStreamOptions {
  /** Bytes that may wait for one client. */
  readonly bytesMax: number;
  /** Called once when nobody reads any more: the client left, fell behind or was sent away. */
  readonly onEnd: () => void;
}

export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: EventStreamOptions;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Settles the pull that found nothing to hand over. */
  #wake: (() => void) | null = null;
  #ended = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#end(),
    }, { highWaterMark: 0 });
  }

  /** False when the client fell behind and is given up: it comes back with the id of the last event it has. */
  write(chunk: Uint8Array): boolean {
    if (this.#ended) return false;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes > this.#options.bytesMax) {
      // An error rather than an orderly end, which would keep all of it until the client reads.
      this.#controller?.error(new Error("the client does not keep up"));
      this.#end();
      return false;
    }
    this.#wake?.();
    return true;
  }

  /** Ends the stream in order. */
  close(): void {
    if (this.#ended) return;
    this.#handOver();
    this.#controller?.close();
    this.#end();
  }

  async #pull(): Promise<void> {
    if (this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    if (!this.#ended) this.#handOver();
  }

  #handOver(): void {
    if (this.#waiting.length === 0) return;
    const chunks = this.#waiting;
    const whole = chunks.length === 1 ? chunks[0]! : join(chunks, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#controller?.enqueue(whole);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#wake?.();
    this.#options.onEnd();
  }
}

function join(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
