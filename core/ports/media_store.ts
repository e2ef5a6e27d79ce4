/**
 * Where the bytes of media are kept.
 *
 * @module
 */
import type { ByteRange } from "../media/byte_range.ts";

export interface MediaStore {
  /**
   * Resolves when all of `bytes` is durable under `name`; what an earlier try left there is replaced. Rejects with
   * what `bytes` rejects with, or when the store is away, and then leaves nothing to be read.
   */
  put(name: string, bytes: AsyncIterable<Uint8Array>, contentType: string): Promise<void>;
  /** A part of what is stored, piece by piece as it is asked for. Errors where it is gone or the store away. */
  read(name: string, range: ByteRange): ReadableStream<Uint8Array>;
  /** Removes it; also what was only half put, and also if there is nothing. */
  remove(name: string): Promise<void>;
}
