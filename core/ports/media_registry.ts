/**
 * What files are kept here, as the API sees it.
 *
 * @module
 */

/** A file that is ready and not expired. */
export interface KeptMedia {
  readonly id: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  /** When it is deleted, ms since 1970. */
  readonly expiresMs: number;
  /** Who uploaded it, as `kind:id`; null for what came with a message. */
  readonly author: string | null;
}

export interface NewUpload {
  readonly id: string;
  readonly author: string;
  /** By which a repeat of the upload is known; null for one that is never repeated. */
  readonly uploadKey: string | null;
  readonly createdMs: number;
  /** An upload that is neither finished nor heard of by then is cleared away. */
  readonly dueMs: number;
}

export type BeginResult =
  | { readonly kind: "begun" }
  /** The upload of that key was done before. */
  | { readonly kind: "there"; readonly media: KeptMedia }
  /** It is under way, or was broken off and is not cleared away yet. */
  | { readonly kind: "under-way" };

export interface MediaRegistry {
  get(id: string, nowMs: number): Promise<KeptMedia | null>;
  /** Notes that an upload begins: whatever becomes of it, its bytes are found again. */
  begin(upload: NewUpload): Promise<BeginResult>;
  /** Says that it is still under way. */
  touch(id: string, dueMs: number): Promise<void>;
  /** Resolves false when it was cleared away meanwhile. */
  finish(media: KeptMedia): Promise<boolean>;
  /** What was stored of it is to be cleared away now. */
  abandon(id: string, nowMs: number): Promise<void>;
  /** Keeps those that are not expired at least until `untilMs`; resolves with them as they are then. */
  keepUntil(ids: readonly string[], untilMs: number, nowMs: number): Promise<KeptMedia[]>;
}
