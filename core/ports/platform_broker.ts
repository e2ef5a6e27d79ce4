/**
 * The broker as platforms see it: what they need to connect, and what they may do there.
 *
 * @module
 */

/** A platform's user at the broker. The seed is the secret half: shown once and kept nowhere. */
export interface PlatformUser {
  readonly publicKey: string;
  readonly seed: string;
}

/** What a platform's program is set up with besides its seed. */
export interface PlatformAccess {
  readonly servers: string[];
  /** What is told to it. */
  readonly events: string;
  /** Takes its requests. */
  readonly command: string;
  /** The stream that its consumers read. */
  readonly stream: string;
  /** Names that its consumers may have. */
  readonly consumers: string[];
  /** Stands in for `$JS.API` in the platform's account. */
  readonly apiPrefix: string;
}

export interface PlatformBroker {
  /** Makes a user's keys; null where the broker is not our own, so that we cannot give users rights there. */
  readonly newUser: (() => PlatformUser) | null;
  access(platformId: string): PlatformAccess;
  /** What the operator of a broker that is not our own has to put into its configuration. */
  grant(platformId: string): string;
  /** Resolves when the broker acts on what the directory says now. Rejects when it does not within seconds. */
  settled(): Promise<void>;
}
