/**
 * Taking a file in while it streams by: what it is, and that it is not too large. Never more of it is in memory
 * than its beginning and the piece at hand.
 *
 * @module
 */
import { isTypeAllowed, typeOfFile } from "./media_types.ts";

/** What a file's first bytes say that it is; null when nothing. */
export type Sniff = (sample: Uint8Array) => Promise<string | null>;

export interface IntakeRules {
  /** As the sender calls it. */
  readonly declaredType: string | null;
  /** Empty: all. */
  readonly types: readonly string[];
  readonly maxBytes: number;
  readonly sniff: Sniff;
}

/** The file may not be kept; another try would not help. */
export class MediaRefusedError extends Error {
  override readonly name = "MediaRefusedError";
  readonly kind: "type" | "size" | "empty";

  constructor(kind: MediaRefusedError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface Intake {
  readonly contentType: string;
  /** The file; rejects with {@link MediaRefusedError} where it turns out to be too large. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Bytes that came so far: the size once all of it was read. */
  readonly sizeBytes: () => number;
}

/** Enough for every signature that is looked for: tar's lies at 257, the longest within 4,100 bytes. */
const SAMPLE_BYTES = 4_100;

/**
 * Reads the beginning of `source` and decides.
 *
 * @throws {MediaRefusedError} for a type that is not taken, and for a file without content
 */
export async function takeIn(source: AsyncIterable<Uint8Array>, rules: IntakeRules): Promise<Intake> {
  const iterator = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let size = 0;
  try {
    while (size < SAMPLE_BYTES) {
      const { done, value } = await iterator.next();
      if (done) break;
      head.push(value);
      size += value.length;
    }
    if (size === 0) throw new MediaRefusedError("empty", "the file is empty");
    const sample = firstBytes(head, Math.min(size, SAMPLE_BYTES));
    const contentType = typeOfFile(await rules.sniff(sample), rules.declaredType, sample);
    if (!isTypeAllowed(rules.types, contentType)) {
      throw new MediaRefusedError("type", `the file is ${contentType}; taken are ${rules.types.join(", ")}`);
    }
    checkSize(size, rules.maxBytes);
    return {
      contentType,
      bytes: rest(iterator, head, rules.maxBytes, (bytes) => size += bytes),
      sizeBytes: () => size,
    };
  } catch (error) {
    await iterator.return?.();
    throw error;
  }
}

async function* rest(
  iterator: AsyncIterator<Uint8Array>,
  head: readonly Uint8Array[],
  maxBytes: number,
  add: (bytes: number) => number,
): AsyncGenerator<Uint8Array> {
  try {
    yield* head;
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) return;
      checkSize(add(value.length), maxBytes);
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

function checkSize(size: number, maxBytes: number): void {
  if (size > maxBytes) throw tooLarge(maxBytes);
}

/** The refusal of a file above `maxBytes`. */
export function tooLarge(maxBytes: number): MediaRefusedError {
  return new MediaRefusedError("size", `the file has more than ${maxBytes} bytes`);
}

function firstBytes(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks[0]!.length >= length) return chunks[0]!.subarray(0, length);
  const sample = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, length - at);
    sample.set(part, at);
    at += part.length;
  }
  return sample;
}

/** Passes `source` on, and tells its failures from those of whoever reads it. */
export function watch(source: AsyncIterable<Uint8Array>): {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What the source failed with. */
  readonly failure: () => Error | null;
} {
  let failure: Error | null = null;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await iterator.next().catch((error) => {
          failure = error as Error;
          throw error;
        });
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { bytes: bytes(), failure: () => failure };
}
