/**
 * Ids: a prefix that says what the thing is, then 26 characters of base 32 (`0-9a-v`) that sort by time.
 *
 * The first ten characters are the time in milliseconds, as in a ULID; the other sixteen are either random
 * (things people create) or derived from a log position (things the log causes), so that whoever applies
 * the same entry again arrives at the same id and the repeat is recognised everywhere downstream.
 *
 * Wire format: never change.
 *
 * @module
 */
import { sha256Hex } from "./hash.ts";

/** What each prefix stands for. */
export const ID_PREFIX = {
  channel: "ch",
  number: "num",
  extension: "ext",
  queue: "mq",
  platform: "plt",
  session: "ses",
  message: "msg",
  conversation: "cnv",
  media: "med",
  key: "key",
  event: "evt",
  audit: "aud",
  deadLetter: "dl",
  calendar: "cal",
  rule: "rul",
  canned: "can",
  note: "not",
  preset: "pre",
} as const;

export type IdKind = keyof typeof ID_PREFIX;

const TIME_CHARS = 10;
const BODY_CHARS = 26;

function base32(value: number, chars: number): string {
  return value.toString(32).padStart(chars, "0");
}

/** A new random id of `kind`, sortable by `nowMs`. `random` fills the given bytes (10 are asked for). */
export function newId(kind: IdKind, nowMs: number, random: (bytes: Uint8Array) => void): string {
  const bytes = new Uint8Array(16);
  random(bytes);
  let body = "";
  for (const byte of bytes) body += (byte & 31).toString(32);
  return `${ID_PREFIX[kind]}_${base32(nowMs, TIME_CHARS)}${body}`;
}

/** A place in a partition's log: which partition, which stream message, which entry of its packed batch. */
export interface LogPosition {
  readonly partition: number;
  readonly sequence: number;
  readonly entry: number;
}

/**
 * The id of the `effect`-th thing that the entry at `position` caused; `atMs` is the entry's own time.
 * Same input, same id: this is what makes replays harmless.
 */
export function derivedId(kind: IdKind, atMs: number, position: LogPosition, effect: number): string {
  return `${ID_PREFIX[kind]}_${base32(atMs, TIME_CHARS)}${base32(position.partition, 2)}${
    base32(position.sequence, 8)
  }${base32(position.entry, 3)}${base32(effect, 3)}`;
}

const DIGITS = "0123456789abcdefghijklmnopqrstuv";
const HEX_VALUES = new Uint8Array(128);
for (let value = 0; value < 16; value++) HEX_VALUES[DIGITS.charCodeAt(value)] = value;

/**
 * The SHA-256 of `text` as base 32: the low five bits of each of its first `chars` bytes. Read from the hash's hex
 * form, since a buffer for its bytes costs more than the hash.
 */
export function hashChars(text: string, chars: number): string {
  const hex = sha256Hex(text);
  let body = "";
  for (let i = 0; i < chars * 2; i += 2) {
    body += DIGITS[(HEX_VALUES[hex.charCodeAt(i)]! & 1) << 4 | HEX_VALUES[hex.charCodeAt(i + 1)]!];
  }
  return body;
}

/** The id of the conversation between `ourNumber` and `contact`: a hash, so that nobody has to look it up. */
export function conversationId(ourNumber: string, contact: string): string {
  return hashedId("conversation", ourNumber, contact);
}

/** An id that the same `parts` always give. It does not sort by time. */
export function hashedId(kind: IdKind, ...parts: readonly string[]): string {
  return `${ID_PREFIX[kind]}_${hashChars(parts.join("|"), BODY_CHARS)}`;
}

/** The smallest id body of things made at or after `atMs`; bounds of partitions by time are made from it. */
export function idBodyFloor(atMs: number): string {
  return base32(atMs, TIME_CHARS).padEnd(BODY_CHARS, "0");
}

/** The time in milliseconds that a sortable id carries. */
export function idTime(id: string): number {
  const body = id.slice(id.indexOf("_") + 1);
  return parseInt(body.slice(0, TIME_CHARS), 32);
}

const ID_PATTERNS = new Map<IdKind, RegExp>(
  (Object.keys(ID_PREFIX) as IdKind[]).map((kind) => [kind, new RegExp(`^${ID_PREFIX[kind]}_[0-9a-v]{26}$`)]),
);

/** Whether `text` has the form of an id of `kind`. */
export function isId(kind: IdKind, text: string): boolean {
  return ID_PATTERNS.get(kind)!.test(text);
}
