/** What Redis pushes to a subscriber, taken apart. */
import { deepEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { PushReader } from "../../bench/peers/redis_listener.ts";

const encoder = new TextEncoder();

function pushed(parts: readonly string[]): string {
  return `*${parts.length}\r\n` +
    parts.map((part) => `$${encoder.encode(part).length}\r\n${part}\r\n`).join("");
}

Deno.test("messages come out whole, however the stream is cut", () => {
  const messages = fc.array(fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 4 }), {
    maxLength: 5,
  });
  fc.assert(fc.property(messages, fc.integer({ min: 1, max: 9 }), (messages, step) => {
    const bytes = encoder.encode(messages.map(pushed).join(""));
    const reader = new PushReader();
    const read: string[][] = [];
    for (let at = 0; at < bytes.length; at += step) read.push(...reader.add(bytes.subarray(at, at + step)));
    deepEqual(read, messages);
  }));
});

Deno.test("integers are read, and anything but an array is refused", () => {
  const reader = new PushReader();
  deepEqual(reader.add(encoder.encode("*3\r\n$9\r\nsubscribe\r\n$6\r\nevents\r\n:1\r\n")), [[
    "subscribe",
    "events",
    "1",
  ]]);
  throws(() => reader.add(encoder.encode("-ERR unknown command\r\n")), /not an array/);
});
