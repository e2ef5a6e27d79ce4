/**
 * Encryption of what must be read again: credentials, webhook and platform secrets.
 *
 * @module
 */
export interface SecretBox {
  /** Encrypts `plain`. It opens again only with the same `context`, e.g. `channels:ch_…`: table and row. */
  seal(plain: string, context: string): Uint8Array;
  /**
   * What was sealed.
   *
   * @throws {SecretBoxError}
   */
  open(sealed: Uint8Array, context: string): string;
  /** Whether it was sealed under the newest key; if not, it should be sealed again. */
  isCurrent(sealed: Uint8Array): boolean;
}

/** `unknown-key`: sealed under another master key. `damaged`: changed, or it belongs elsewhere. */
export class SecretBoxError extends Error {
  override readonly name = "SecretBoxError";
  readonly kind: "unknown-key" | "damaged";

  constructor(kind: SecretBoxError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}
