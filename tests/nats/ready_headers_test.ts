import { deepStrictEqual, throws } from "node:assert/strict";
import { headers, type MsgHdrs } from "@nats-io/transport-node";
import fc from "fast-check";
import { readyHeaders } from "../../adapters/nats/ready_headers.ts";

type Encoded = MsgHdrs & { encode(): Uint8Array };

const names = fc.uniqueArray(fc.stringMatching(/^[A-Z][A-Za-z-]{0,20}$/), { maxLength: 4 });
const value = fc.stringMatching(/^[\x21-\x7e]{1,40}$/);

Deno.test("ready headers are the bytes that the client library would send", () => {
  fc.assert(
    fc.property(
      names.chain((list) => fc.tuple(...list.map((name) => fc.tuple(fc.constant(name), value)))),
      (entries) => {
        fc.pre(entries.length > 0);
        const expected = headers();
        for (const [name, text] of entries) expected.append(name, text);
        deepStrictEqual(
          (readyHeaders(entries) as Encoded).encode(),
          Uint8Array.from((expected as Encoded).encode()),
        );
      },
    ),
  );
});

Deno.test("a value with a line break is refused, so that nothing can add a header", () => {
  for (const text of ["a\r\nNats-Rollup: all", "a\nb", "a\r"]) {
    throws(() => readyHeaders([["Nats-Msg-Id", text]]), TypeError);
  }
});
