import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import { readRange } from "../../core/media/byte_range.ts";
import { fetchPauseMs } from "../../core/media/fetch.ts";
import { type IntakeRules, MediaRefusedError, takeIn } from "../../core/media/intake.ts";
import { MediaLinks } from "../../core/media/media_links.ts";
import { extensionOf, isTypeAllowed, typeOfFile } from "../../core/media/media_types.ts";
import { newId } from "../../core/ids.ts";

const T0 = 1_800_000_000_000;
const KEYS = ["a", "b"].map((letter) => btoa(letter.repeat(32)));
const ID = newId("media", T0, (bytes) => bytes.fill(7));

Deno.test("a channel takes the types that it names, all of a kind, or all", () => {
  const cases: [readonly string[], string, boolean][] = [
    [[], "video/mp4", true],
    [["image/png"], "image/png", true],
    [["image/png"], "IMAGE/PNG; x=y", true],
    [["image/png"], "image/jpeg", false],
    [["image/*"], "image/jpeg", true],
    [["image/*"], "imagery/jpeg", false],
    [["Image/*", "video/mp4"], "video/mp4", true],
  ];
  for (const [types, type, allowed] of cases) equal(isTypeAllowed(types, type), allowed, `${types} ${type}`);
});

Deno.test("a file is what its bytes say; a name makes no picture of it", () => {
  const text = new TextEncoder().encode("BEGIN:VCARD\nFN:Zoë");
  const binary = Uint8Array.of(1, 2, 3, 0, 255);
  equal(typeOfFile("image/png", "text/html", binary), "image/png");
  equal(typeOfFile(null, "image/png", binary), "application/octet-stream");
  equal(typeOfFile(null, "text/html", text), "text/plain");
  equal(typeOfFile(null, "text/vcard; charset=utf-8", text), "text/vcard");
  equal(typeOfFile(null, "text/vcard", binary), "application/octet-stream");
  equal(typeOfFile(null, null, text.subarray(0, text.length - 1)), "text/plain", "a character may be cut");
  deepEqual(["image/jpeg", "video/mp4", "application/x-strange+thing"].map(extensionOf), [
    "jpg",
    "mp4",
    "bin",
  ]);
});

Deno.test("ranges are read as RFC 9110 has them", () => {
  const cases: [string | null, ReturnType<typeof readRange>][] = [
    [null, "whole"],
    ["bytes=0-", { start: 0, end: 100 }],
    ["bytes=10-19", { start: 10, end: 20 }],
    ["bytes=99-500", { start: 99, end: 100 }],
    ["bytes=-5", { start: 95, end: 100 }],
    ["bytes=-500", { start: 0, end: 100 }],
    ["bytes=100-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=20-10", "whole"],
    ["bytes=0-1,5-6", "whole"],
    ["bytes=-", "whole"],
    ["lines=1-2", "whole"],
    ["nonsense", "whole"],
  ];
  for (const [header, expected] of cases) deepEqual(readRange(header, 100), expected, `${header}`);
  fc.assert(fc.property(fc.string(), fc.nat(), (header, size) => {
    const range = readRange(header, size);
    if (typeof range === "object") ok(range.start < range.end && range.end <= size);
  }));
});

Deno.test("a link says which file, until when and what for, and nothing of it can be changed", () => {
  const links = new MediaLinks(KEYS, "https://sms.example");
  const link = { id: ID, expiresMs: T0 + 1_000, use: "preview" } as const;
  const url = links.url(link);
  match(url, /^https:\/\/sms\.example\/media\/[A-Za-z0-9_.-]+$/);
  const token = url.slice(url.lastIndexOf("/") + 1);
  deepEqual(links.read(token, T0), link);
  equal(links.read(token, T0 + 1_000), null, "expired");
  fc.assert(fc.property(fc.nat(token.length - 1), fc.constantFrom(..."0aZ_-.f"), (at, character) => {
    const changed = token.slice(0, at) + character + token.slice(at + 1);
    if (changed !== token) equal(links.read(changed, T0), null, changed);
  }));
  fc.assert(fc.property(fc.string(), (text) => equal(links.read(text, T0), null)));
  equal(links.read(`${token}A`, T0), null);
});

Deno.test("links hold while a master key is in force, and under no other", () => {
  const old = new MediaLinks([KEYS[1]!], "https://x").url({ id: ID, expiresMs: T0 + 1, use: "file" });
  const token = old.slice(old.lastIndexOf("/") + 1);
  equal(new MediaLinks(KEYS, "https://x").read(token, T0)?.id, ID);
  equal(new MediaLinks([KEYS[0]!], "https://x").read(token, T0), null);
});

function rules(over: Partial<IntakeRules> = {}): IntakeRules {
  return {
    declaredType: null,
    types: [],
    maxBytes: 1_000_000,
    sniff: () => Promise.resolve("image/png"),
    ...over,
  };
}

async function* stream(sizes: readonly number[], onEnd: () => void = () => {}): AsyncGenerator<Uint8Array> {
  try {
    let next = 0;
    for (const size of sizes) yield Uint8Array.from({ length: size }, () => next++ & 255);
  } finally {
    onEnd();
  }
}

Deno.test("whatever the pieces that a file comes in, all of it passes in order, and its size is counted", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 6_000 }), { minLength: 1, maxLength: 8 }),
      async (sizes) => {
        const samples: number[] = [];
        const intake = await takeIn(
          stream(sizes),
          rules({ sniff: (sample) => (samples.push(sample.length), Promise.resolve(null)) }),
        );
        let next = 0;
        for await (const chunk of intake.bytes) for (const byte of chunk) equal(byte, next++ & 255);
        const total = sizes.reduce((sum, size) => sum + size, 0);
        equal(next, total);
        equal(intake.sizeBytes(), total);
        deepEqual(samples, [Math.min(total, 4_100)]);
      },
    ),
  );
});

Deno.test("a file that is too large is cut off where it is, and its source is let go of", async () => {
  for (const maxBytes of [100, 5_000, 20_000]) {
    let ended = 0;
    let passed = 0;
    await rejects(async () => {
      const intake = await takeIn(stream(Array(100).fill(3_000), () => ended++), rules({ maxBytes }));
      for await (const chunk of intake.bytes) passed += chunk.length;
    }, (error) => error instanceof MediaRefusedError && error.kind === "size");
    ok(passed <= maxBytes);
    equal(ended, 1);
  }
});

Deno.test("a type that is not taken, and an empty file, are refused before anything is stored", async () => {
  for (const [sizes, over, kind] of [[[10], { types: ["video/*"] }, "type"], [[], {}, "empty"]] as const) {
    let ended = 0;
    await rejects(
      takeIn(stream(sizes, () => ended++), rules(over)),
      (error) => error instanceof MediaRefusedError && error.kind === kind,
    );
    equal(ended, 1);
  }
});

Deno.test("pauses between tries grow to a quarter of an hour, and end after a day", () => {
  const job = {
    kind: "fetch",
    id: ID,
    messageId: null,
    channelId: null,
    createdMs: T0,
    sourceUrl: "",
    declaredType: null,
    types: null,
  } as const;
  const pauses = [1, 2, 3, 11, 500].map((attempts) => fetchPauseMs({ ...job, attempts }, T0, 0.5));
  deepEqual(pauses, [1_000, 2_000, 4_000, 900_000, 900_000]);
  equal(fetchPauseMs({ ...job, attempts: 3 }, T0 + 24 * 3_600_000, 0.5), null);
});
