import assert from "node:assert/strict";
import { createLog } from "../../adapters/system/log.ts";

function record(level: "debug" | "info" | "warn" | "error", pretty = false) {
  const lines: string[] = [];
  return { lines, log: createLog({ level, pretty, now: () => 0, write: (line) => lines.push(line) }) };
}

Deno.test("the log writes JSON lines from its level on", () => {
  const { lines, log } = record("warn");
  log.info("not.shown");
  log.with({ channelId: "ch_1" }).warn("send.slow", { durationMs: 5, nothing: undefined });
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [
    { time: "1970-01-01T00:00:00.000Z", level: "warn", event: "send.slow", channelId: "ch_1", durationMs: 5 },
  ]);
  assert.ok(lines[0]!.endsWith("}\n"));
});

Deno.test("the log leaves texts and secrets out, wherever they are passed", () => {
  const { lines, log } = record("debug");
  log.info("x", { text: "hello", authToken: "t", nested: { password: "p", ok: 1 }, credentials: { a: 1 } });
  const { nested, ...rest } = JSON.parse(lines[0]!);
  assert.deepEqual([rest.text, rest.authToken, rest.credentials], ["(left out)", "(left out)", "(left out)"]);
  assert.deepEqual(nested, { password: "(left out)", ok: 1 });
});

Deno.test("the log tells errors with their causes, and survives what is no JSON", () => {
  const { lines, log } = record("debug");
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  log.error("failed", { error: new Error("outer", { cause: new TypeError("inner") }), loop, big: 5n });
  const line = JSON.parse(lines[0]!);
  assert.match(line.error, /^Error: outer, because of TypeError: inner \(at /);
  assert.equal(line.big, 5);
});

Deno.test("the log is for people on a terminal", () => {
  const { lines, log } = record("info", true);
  log.info("server.ready", { port: 8080, note: "two words" });
  // deno-lint-ignore no-control-regex
  const plain = lines[0]!.replace(/\x1b\[\d+m/g, "");
  assert.equal(plain, '00:00:00.000 info  server.ready port=8080 note="two words"\n');
});
