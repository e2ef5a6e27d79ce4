import { deepEqual, equal } from "node:assert/strict";
import { countsOf, sum, SummaryReader } from "../support/test_summary.ts";

function read(...chunks: string[]) {
  const reader = new SummaryReader();
  for (const chunk of chunks) reader.add(chunk);
  return reader.end();
}

Deno.test("SummaryReader reads deno's last line, whatever steps, colours and chunks it comes in", () => {
  const lines: [string, number, number][] = [
    ["ok | 12 passed | 0 failed (1s)\n", 12, 0],
    ["ok | 2 passed (3 steps) | 0 failed (100ms)\n", 2, 0],
    ["FAILED | 10 passed (1 step) | 2 failed (2 steps) | 1 ignored | 3 filtered out (2m3s)", 10, 2],
    ["\x1b[0m\x1b[32mok\x1b[0m | 7 passed | 0 failed \x1b[0m\x1b[38;5;245m(2s)\x1b[0m\r\n\n", 7, 0],
    ["ok | 0 passed | 0 failed\n", 0, 0],
  ];
  for (const [text, passed, failed] of lines) {
    deepEqual(read(`running 3 tests from ./x_test.ts\n${text}`), { passed, failed }, text);
    deepEqual(read(...text), { passed, failed }, `${text} by character`);
  }
});

Deno.test("SummaryReader is not taken in by what tests print, and knows that there was no summary", () => {
  deepEqual(read("ok | 9 passed | 9 failed (1s)\n", "ok | 1 passed | 0 failed (1s)\n"), {
    passed: 1,
    failed: 0,
  });
  equal(read("error: the file does not compile\nthe test says ok | 1 passed | 0 failed\n"), null);
});

Deno.test("countsOf counts what makes deno fail without a failed test, and sum adds runs", () => {
  deepEqual(countsOf(null, 1), { passed: 0, failed: 1 });
  deepEqual(countsOf({ passed: 3, failed: 0 }, 1), { passed: 3, failed: 1 });
  deepEqual(countsOf({ passed: 3, failed: 2 }, 1), { passed: 3, failed: 2 });
  deepEqual(countsOf(null, 0), { passed: 0, failed: 0 });
  deepEqual(sum([{ passed: 1, failed: 2 }, { passed: 3, failed: 0 }]), { passed: 4, failed: 2 });
});
