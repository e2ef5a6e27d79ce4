import { deepStrictEqual, ok } from "node:assert/strict";
import { Deadlines } from "../../adapters/http_client/deadlines.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("each deadline runs once, not before its time, and none that was cancelled", async () => {
  const deadlines = new Deadlines();
  const ran: string[] = [];
  const start = (name: string, timeoutMs: number) => {
    const startedMs = performance.now();
    return deadlines.after(timeoutMs, () => {
      ok(performance.now() - startedMs >= timeoutMs);
      ran.push(name);
    });
  };
  const cancelFirst = start("first of the long ones", 60);
  start("short", 20);
  await pause(10);
  start("second of the long ones", 60);
  const cancelThird = start("third of the long ones", 60);
  cancelFirst();
  cancelThird();
  await pause(200);
  deepStrictEqual(ran, ["short", "second of the long ones"]);
});

Deno.test("a deadline that is cancelled late, or twice, takes nothing from those that came after it", async () => {
  const deadlines = new Deadlines();
  const ran: number[] = [];
  const cancel = deadlines.after(5, () => ran.push(1));
  await pause(50);
  deadlines.after(5, () => ran.push(2));
  cancel();
  cancel();
  await pause(50);
  deepStrictEqual(ran, [1, 2]);
});

Deno.test("when all deadlines are cancelled no timer is left: the test would be told of one", () => {
  const deadlines = new Deadlines();
  const cancels = [60_000, 60_000, 1_000].map((timeoutMs) => deadlines.after(timeoutMs, () => {}));
  for (const cancel of cancels) cancel();
});
