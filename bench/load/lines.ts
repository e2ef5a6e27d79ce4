/**
 * Keep-alive HTTP/1.1 lines to one server on this machine, each with one request under way, on one thread that does nothing
 * else.
 *
 * @module
 */
import { type AnswerEnd, readAnswer } from "./answer.ts";
import { Sockets } from "./libc.ts";

export interface LineEvents {
  /** `bodyOf` is good until this returns. */
  answered(line: number, status: number, bodyOf: () => string): void;
  /** The line broke with a request under way; the next one opens it again. */
  broke(line: number, reason: string): void;
}

const READ_BYTES = 65_536;
const ANSWER_MAX_BYTES = 16 * 1024 * 1024;
const EMPTY = new Uint8Array(0);
const decoder = new TextDecoder();

export class Lines {
  readonly #sockets: Sockets;
  readonly #socketOf: (number | null)[];
  readonly #busy: Uint8Array;
  /** A request that waits until its line is connected. */
  readonly #waiting: (Uint8Array<ArrayBuffer> | null)[];
  /** The first part of an answer whose rest is not there yet. */
  readonly #begun: Uint8Array<ArrayBuffer>[];
  readonly #in = new Uint8Array(READ_BYTES);

  /** Opens nothing yet. Throws a `TypeError` for anything but `http://127.0.0.1:port`. */
  constructor(private readonly origin: string, count: number, private readonly events: LineEvents) {
    const { protocol, hostname, port } = new URL(origin);
    if (protocol !== "http:" || hostname !== "127.0.0.1") {
      throw new TypeError(`load goes to http://127.0.0.1 alone, not to ${origin}`);
    }
    this.#sockets = new Sockets(Number(port || 80), count);
    this.#socketOf = Array.from({ length: count }, () => null);
    this.#busy = new Uint8Array(count);
    this.#waiting = Array.from({ length: count }, () => null);
    this.#begun = Array.from({ length: count }, () => EMPTY);
  }

  /** Sends a whole request over an idle line. */
  send(line: number, request: Uint8Array<ArrayBuffer>): void {
    this.#busy[line] = 1;
    const socket = this.#socketOf[line]!;
    if (socket !== null) return this.#send(line, socket, request);
    this.#waiting[line] = request;
    this.#socketOf[line] = this.#sockets.open(line);
  }

  /** Waits `waitMs` at most, whole ms, and tells of the answers that came. Throws when the server accepts no connection. */
  wait(waitMs: number): void {
    this.#sockets.wait(waitMs, this.#onReady);
  }

  close(): void {
    for (const [line, socket] of this.#socketOf.entries()) if (socket !== null) this.#close(line);
    this.#sockets.end();
  }

  readonly #onReady = (line: number): void => {
    const request = this.#waiting[line]!;
    if (request === null) return this.#read(line);
    const socket = this.#socketOf[line]!;
    if (!this.#sockets.connected(socket, line)) throw new Error(`${this.origin} accepts no connection`);
    this.#waiting[line] = null;
    this.#send(line, socket, request);
  };

  #send(line: number, socket: number, request: Uint8Array<ArrayBuffer>): void {
    if (!this.#sockets.send(socket, request)) this.#break(line, "the line broke while a request was sent");
  }

  #read(line: number): void {
    const read = this.#sockets.receive(this.#socketOf[line]!, this.#in);
    if (read <= 0) return this.#break(line, read === 0 ? "the other side closed the line" : "the line broke");
    let bytes = this.#in;
    let filled = read;
    const begun = this.#begun[line]!;
    if (begun.length > 0) {
      if (begun.length > ANSWER_MAX_BYTES) return this.#break(line, "the answer is too long");
      bytes = new Uint8Array(begun.length + read);
      bytes.set(begun);
      bytes.set(this.#in.subarray(0, read), begun.length);
      filled = bytes.length;
    }
    let answer: AnswerEnd | null;
    try {
      answer = readAnswer(bytes, filled);
    } catch (error) {
      return this.#break(line, (error as Error).message);
    }
    if (answer === null) {
      this.#begun[line] = bytes.slice(0, filled);
      return;
    }
    const { status, bodyStart, end, closes } = answer;
    this.#begun[line] = EMPTY;
    this.#busy[line] = 0;
    if (closes) this.#close(line);
    this.events.answered(line, status, () => decoder.decode(bytes.subarray(bodyStart, end)));
  }

  /** An idle line may be closed by the server at any time. */
  #break(line: number, reason: string): void {
    this.#close(line);
    if (this.#busy[line] === 0) return;
    this.#busy[line] = 0;
    this.events.broke(line, reason);
  }

  #close(line: number): void {
    this.#sockets.close(this.#socketOf[line]!);
    this.#socketOf[line] = null;
    this.#begun[line] = EMPTY;
  }
}
