/**
 * Fetching a file from an address that somebody else wrote.
 *
 * @module
 */
export interface DownloadRequest {
  readonly url: string;
  /** Headers for an address on the way: asked again for each redirect. */
  readonly headersFor: (url: URL) => Readonly<Record<string, string>>;
  /** Longest wait for the answer, and between two pieces of it, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type DownloadResult =
  | {
    readonly kind: "file";
    readonly contentType: string | null;
    /** As announced. */
    readonly sizeBytes: number | null;
    /** To be read to its end or left; rejects when the connection breaks, falls silent or ends early. */
    readonly body: AsyncIterable<Uint8Array>;
  }
  /** `final`: another try cannot help. */
  | { readonly kind: "failed"; readonly reason: string; readonly final: boolean };

/** Fetches; follows redirects, each checked like the first address. Never rejects. */
export type Download = (request: DownloadRequest) => Promise<DownloadResult>;
