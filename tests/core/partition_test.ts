import { deepStrictEqual as equal, ok } from "node:assert/strict";
import { hash32, partitionOf } from "../../core/partition.ts";

// FNV-1a, then MurmurHash3's fmix32; computed by an independent program.
const VECTORS = [2872998923, 444641715, 276221869, 1107717800, 78930743, 2387039943];

Deno.test("hash32 is frozen: these vectors may never change", () => {
  equal(["", "a", "+14155550100", "+59899123456", "INFO", "é"].map(hash32), VECTORS);
});

Deno.test("partitionOf spreads contacts evenly", () => {
  const counts = new Array(32).fill(0);
  for (let i = 0; i < 32_000; i++) counts[partitionOf(`+1415${5550000 + i}`, 32)]++;
  ok(
    Math.min(...counts) > 800 && Math.max(...counts) < 1_200,
    `${Math.min(...counts)}..${Math.max(...counts)}`,
  );
});
