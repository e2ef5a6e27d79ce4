/** What nats-server sends to a subscriber, taken apart. */
import { deepEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { BrokerMessages } from "../../bench/broker_messages.ts";

const token = fc.stringMatching(/^[A-Za-z0-9.$_-]{1,12}$/);
const bytes = fc.string({ unit: "binary-ascii", maxLength: 20 });
const message = fc.record({
  subject: token,
  reply: fc.oneof(fc.constant(""), token),
  headers: fc.oneof(fc.constant(null), bytes),
  payload: bytes,
});
const line = fc.constantFrom("PING", "PONG", "+OK", "INFO {}");

type Sent = string | { subject: string; reply: string; headers: string | null; payload: string };

function onTheWire(sent: Sent): string {
  if (typeof sent === "string") return `${sent}\r\n`;
  const { subject, reply, headers, payload } = sent;
  const to = `${subject} 1${reply === "" ? "" : ` ${reply}`}`;
  return headers === null
    ? `MSG ${to} ${payload.length}\r\n${payload}\r\n`
    : `HMSG ${to} ${headers.length} ${headers.length + payload.length}\r\n${headers}${payload}\r\n`;
}

Deno.test("messages and lines come out whole and in order, however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(message, line), { maxLength: 8 }),
      fc.integer({ min: 1, max: 40 }),
      (all: Sent[], step) => {
        const text = all.map(onTheWire).join("");
        const messages = new BrokerMessages();
        const read: unknown[] = [];
        for (let at = 0; at < text.length; at += step) {
          messages.add(text.slice(at, at + step), (one) => read.push(one), (one) => read.push(one));
        }
        deepEqual(
          read,
          all.map((sent) =>
            typeof sent === "string"
              ? sent
              : { subject: sent.subject, reply: sent.reply, payload: sent.payload }
          ),
        );
      },
    ),
  );
});

Deno.test("a message of no length is refused", () => {
  throws(
    () => new BrokerMessages().add("MSG a 1 many\r\n", () => {}, () => {}),
    /not a message of the broker/,
  );
});
