/**
 * Media in a NATS object store.
 *
 * The client hands an object out as fast as the server sends it, whoever reads how slowly: a whole film would lie
 * in memory. So a file is stored as objects of one piece each, `<name>.<n>`; a reader has one piece in memory, and
 * a range begins at the piece it is in.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import { type JetStreamManager, StorageType } from "@nats-io/jetstream";
import { type ObjectStore, Objm } from "@nats-io/obj";
import { Buffer } from "node:buffer";
import type { ByteRange } from "../../core/media/byte_range.ts";
import type { MediaStore } from "../../core/ports/media_store.ts";
import type { Names } from "./topology.ts";

export interface NatsMediaStoreOptions {
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly names: Names;
  /** Copies; 1 on a single server. */
  readonly replicas: number;
}

/** Half of what a server takes in one message by default. Stored files are read by it: never change. */
const PIECE_BYTES = 524_288;
const DAY_NS = 86_400_000_000_000;
/** Nothing is kept for longer than a channel may ask for (8,760 hours): a net below what a crash left behind. */
const AGE_NS_MAX = 400 * DAY_NS;
const TIMEOUT_MS = 10_000;

export class NatsMediaStore implements MediaStore {
  readonly #objects: ObjectStore;
  readonly #jsm: JetStreamManager;
  readonly #bucket: string;

  private constructor(objects: ObjectStore, jsm: JetStreamManager, bucket: string) {
    this.#objects = objects;
    this.#jsm = jsm;
    this.#bucket = bucket;
  }

  /** Makes the bucket if it is not there. Rejects when the broker is away. */
  static async open({ connection, jsm, names, replicas }: NatsMediaStoreOptions): Promise<NatsMediaStore> {
    const manager = new Objm(connection);
    const objects = await manager.create(names.mediaBucket, {
      storage: StorageType.File,
      replicas,
      ttl: AGE_NS_MAX,
      description: "Media of messages, until they expire",
    }).catch(() => manager.open(names.mediaBucket));
    return new NatsMediaStore(objects, jsm, names.mediaBucket);
  }

  async put(name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    let count = 0;
    try {
      for await (const piece of pieces(bytes)) await this.#putPiece(`${name}.${count++}`, piece);
    } catch (error) {
      await this.remove(name).catch(() => {});
      throw error;
    }
    // An earlier try may have had more.
    await this.#removeFrom(name, count);
  }

  read(name: string, { start, end }: ByteRange): ReadableStream<Uint8Array> {
    let at = start;
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const index = Math.floor(at / PIECE_BYTES);
        const piece = await this.#objects.getBlob(`${name}.${index}`);
        const from = at - index * PIECE_BYTES;
        const part = piece?.subarray(from, Math.min(piece.length, end - index * PIECE_BYTES));
        if (part === undefined || part.length === 0) {
          throw new Error(`${name} has no piece ${index} any more`);
        }
        at += part.length;
        controller.enqueue(part);
        if (at >= end) controller.close();
      },
    }, { highWaterMark: 0 });
  }

  async remove(name: string): Promise<void> {
    await this.#removeFrom(name, 0);
  }

  async #putPiece(name: string, piece: Uint8Array): Promise<void> {
    const meta = { name, options: { max_chunk_size: PIECE_BYTES } };
    await this.#objects.put(meta, new Blob([piece as Uint8Array<ArrayBuffer>]).stream(), {
      timeout: TIMEOUT_MS,
    });
  }

  /** Pieces are put one after the other, so that the first that is missing is the end. */
  async #removeFrom(name: string, first: number): Promise<void> {
    for (let index = first;; index++) {
      const piece = `${name}.${index}`;
      if (!(await this.#objects.delete(piece)).success) return;
      // What marks it as deleted is of no use: it is gone for good. Layout: NATS ADR-20.
      const encoded = Buffer.from(piece).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
      const subject = `$O.${this.#bucket}.M.${encoded}`;
      await this.#jsm.streams.purge(`OBJ_${this.#bucket}`, { filter: subject });
    }
  }
}

/** The same bytes in pieces of one size; only the last may be smaller. */
async function* pieces(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(PIECE_BYTES);
  let filled = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + PIECE_BYTES - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < PIECE_BYTES) continue;
      yield piece;
      piece = new Uint8Array(PIECE_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
