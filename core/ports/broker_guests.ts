/**
 * Guests of the broker: who connects to it besides this program, each in an account of its own. An account sees
 * nothing but what is listed here, and answers that its requests ask for go nowhere but into it.
 *
 * @module
 */

/** A request that a guest may make. */
export interface GuestService {
  /** As the guest's account knows it. */
  readonly subject: string;
  /** As the program's account knows it. */
  readonly to: string;
  /** Whether one request may be answered by several messages. */
  readonly isStreamed?: boolean;
}

export interface BrokerGuest {
  /** Name of the account: letters, digits, `_` and `-`. */
  readonly account: string;
  /** Public key (nkey, `U…`) of its one user. */
  readonly publicKey: string;
  /** Subjects of the program's account that it may listen to. */
  readonly streams: readonly string[];
  readonly services: readonly GuestService[];
}
