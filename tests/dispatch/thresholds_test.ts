import assert from "node:assert/strict";
import { judgeThresholds } from "../../core/dispatch/thresholds.ts";

const FIGURES = { decided: 40, takenInTime: 30, abandonedLate: 3, longestChatSeconds: 600, waiting: 5 };

Deno.test("RT-16: each threshold that is set is held against its figure", () => {
  const thresholds = {
    serviceLevel: { percent: 80, seconds: 20 },
    abandoned: { percent: 10, seconds: 30 },
    longestChatSeconds: 600,
    mostWaiting: 4,
  };
  assert.deepEqual(judgeThresholds(thresholds, FIGURES), [
    { threshold: "serviceLevel", limit: 80, value: 75, crossed: true },
    { threshold: "abandoned", limit: 10, value: 7.5, crossed: false },
    { threshold: "longestChatSeconds", limit: 600, value: 600, crossed: false },
    { threshold: "mostWaiting", limit: 4, value: 5, crossed: true },
  ]);
});

Deno.test("RT-16: nothing is said of what is not set, nor of percentages of nothing", () => {
  assert.deepEqual(judgeThresholds({}, FIGURES), []);
  const none = { ...FIGURES, decided: 0, takenInTime: 0, abandonedLate: 0 };
  assert.deepEqual(judgeThresholds({ serviceLevel: { percent: 80, seconds: 20 } }, none), []);
});
