/**
 * Every call that came in, kept for whoever checks the run afterwards. Bounded: past the capacity the oldest
 * calls go, and `dropped` says how many.
 *
 * @module
 */
import type { ProviderName } from "./faults.ts";

/** One send as the carrier saw it. About 300 bytes with its text. */
export interface CallRecord {
  /** Counted from 1 in the order of arrival. */
  readonly sequence: number;
  /** When the request was complete here, ms since 1970 with a fraction. */
  readonly atMs: number;
  readonly provider: ProviderName;
  /** The sender's number and the contact's, as they came. */
  readonly from: string;
  readonly to: string;
  /** Null when texts are not kept. */
  readonly text: string | null;
  /** Always there: a 32-bit hash of the text. */
  readonly textHash: number;
  /** Links of pictures and files; left out where the message has none. */
  readonly media?: readonly string[];
  /** The sender's own id, where the call shows it: from the status URL, or the `id` field. */
  readonly messageId: string | null;
  /** The id that the answer gives, or would have given; null when the message was not taken. */
  readonly providerId: string | null;
  /** Whether the carrier took the message, whatever it then answered. */
  readonly accepted: boolean;
  /** The HTTP status, or what came in its place. */
  readonly answer: number | "hang" | "cut";
  /** The provider's own code when it refused. */
  readonly code: string | null;
}

export type NewCall = Omit<CallRecord, "sequence">;

export class CallLog {
  #calls: CallRecord[] = [];
  #oldest = 0;
  #sequence = 0;
  #dropped = 0;

  constructor(private readonly capacity: number) {}

  get dropped(): number {
    return this.#dropped;
  }

  /** The sequence that the next call gets. */
  get nextSequence(): number {
    return this.#sequence + 1;
  }

  add(call: NewCall): CallRecord {
    const { atMs, provider, from, to, text, textHash, media, messageId, providerId, accepted, answer, code } =
      call;
    const sequence = ++this.#sequence;
    const record: CallRecord = {
      sequence,
      atMs,
      provider,
      from,
      to,
      text,
      textHash,
      ...(media === undefined || media.length === 0 ? {} : { media }),
      messageId,
      providerId,
      accepted,
      answer,
      code,
    };
    if (this.#calls.length < this.capacity) {
      this.#calls.push(record);
    } else {
      this.#calls[this.#oldest] = record;
      this.#oldest = (this.#oldest + 1) % this.capacity;
      this.#dropped++;
    }
    return record;
  }

  /** The call with this sequence, if it is still held. */
  at(sequence: number): CallRecord | undefined {
    const index = sequence - 1 - (this.#sequence - this.#calls.length);
    if (index < 0 || index >= this.#calls.length) return undefined;
    return this.#calls[(this.#oldest + index) % this.#calls.length];
  }

  /** The calls held, in order of arrival, after the one with sequence `since`. */
  *after(since = 0): Generator<CallRecord> {
    const first = Math.max(since, this.#sequence - this.#calls.length) + 1;
    for (let sequence = first; sequence <= this.#sequence; sequence++) {
      const call = this.at(sequence);
      if (call !== undefined) yield call;
    }
  }

  /** Forgets all calls; sequences go on, so that ids stay unique. */
  clear(): void {
    this.#calls = [];
    this.#oldest = 0;
    this.#dropped = 0;
  }
}

/** A 32-bit hash of a text (FNV-1a over its UTF-16 units). */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const BLOCK_LINES = 500;

/** `items` as JSON lines, in blocks for a streamed answer. */
export function* jsonLines(items: Iterable<unknown>, limit = Infinity): Generator<string> {
  let block = "";
  let lines = 0;
  for (const item of items) {
    if (lines === limit) break;
    block += JSON.stringify(item) + "\n";
    if (++lines % BLOCK_LINES === 0) {
      yield block;
      block = "";
    }
  }
  if (block !== "") yield block;
}
