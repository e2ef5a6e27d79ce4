/**
 * Keys for users of the broker.
 *
 * @module
 */
import { createUser } from "@nats-io/nkeys";
import type { PlatformUser } from "../../core/ports/platform_broker.ts";

/** A new pair of keys (nkey, Ed25519). */
export function newBrokerUser(): PlatformUser {
  const pair = createUser();
  return { publicKey: pair.getPublicKey(), seed: new TextDecoder().decode(pair.getSeed()) };
}
