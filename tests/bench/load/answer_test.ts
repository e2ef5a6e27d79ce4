/** Where an answer ends, however it is written and wherever it is cut. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { readAnswer } from "../../../bench/load/answer.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const bodies = fc.string({ unit: "binary", maxLength: 300 });
const names = fc.constantFrom("content-length", "Content-Length", "CONTENT-LENGTH");

/** A whole answer with its status and body. */
const answers = fc.oneof(
  fc.record({ status: fc.constantFrom(200, 202, 404, 503), body: bodies, name: names }).map((
    { status, body, name },
  ) => ({
    status,
    body,
    text: `HTTP/1.1 ${status} Some\r\ncontent-type: text/plain\r\n${name}:  ${
      encoder.encode(body).length
    }\r\n\r\n${body}`,
  })),
  fc.record({ status: fc.constantFrom(204, 304) }).map(({ status }) => ({
    status,
    body: "",
    text: `HTTP/1.1 ${status} None\r\nserver: x\r\n\r\n`,
  })),
);

Deno.test("an answer is read only when all of it is there, and no further", () => {
  fc.assert(fc.property(answers, bodies, ({ status, body, text }, rest) => {
    const whole = encoder.encode(text);
    const bytes = encoder.encode(text + rest);
    for (const filled of [0, 1, 12, whole.length - 1]) equal(readAnswer(bytes, filled), null);
    const answer = readAnswer(bytes, bytes.length)!;
    equal(answer.status, status);
    equal(answer.end, whole.length);
    equal(decoder.decode(bytes.subarray(answer.bodyStart, answer.end)), decoder.decode(encoder.encode(body)));
  }));
});

Deno.test("a body in chunks ends with its empty chunk", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 40 })), (chunks) => {
      const sized = chunks.map((chunk) => `${encoder.encode(chunk).length.toString(16)}\r\n${chunk}\r\n`)
        .join("");
      const bytes = encoder.encode(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${sized}0\r\n\r\n`);
      equal(readAnswer(bytes, bytes.length)?.end, bytes.length);
      equal(readAnswer(bytes, bytes.length - 1), null);
    }),
  );
});

Deno.test("that the line is closed afterwards is seen; what is no answer is refused", () => {
  const read = (text: string) => readAnswer(encoder.encode(text), text.length);
  deepEqual(read("HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-length: 0\r\n\r\n")?.closes, true);
  deepEqual(read("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?.closes, false);
  throws(() => read("HTTP/1.1 200 OK\r\n\r\n"), /does not say how long/);
  throws(() => read("SSH-2.0-OpenSSH\r\n\r\n"), /not an answer/);
});
