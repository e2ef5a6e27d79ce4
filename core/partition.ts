/**
 * Which partition a conversation belongs to.
 *
 * The key is the contact's number, not ours: one busy number of ours must not become one busy partition,
 * and a STOP stays in order with everything that concerns that contact.
 *
 * Wire format: never change. Test vectors are in `tests/core/partition_test.ts`.
 *
 * @module
 */

/** Delivery reports are spread over this many streams. Wire format: never change. */
export const STATUS_PARTITIONS = 8;

/** FNV-1a over the UTF-8 bytes of `text`, finished with MurmurHash3's mixer: an unsigned 32-bit number. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) {
      hash = Math.imul(hash ^ code, 0x01000193);
    } else {
      for (const byte of new TextEncoder().encode(text.slice(i))) hash = Math.imul(hash ^ byte, 0x01000193);
      break;
    }
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash >>> 0;
}

/** The dispatcher is one actor for all queues (decision 012). */
export const DISPATCH_PARTITIONS = 1;

/** The partition of everything about `contact`, among `partitions`. */
export function partitionOf(contact: string, partitions: number): number {
  return hash32(contact) % partitions;
}
