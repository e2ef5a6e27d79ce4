import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { NatsMediaStore } from "../../adapters/nats/media_store.ts";
import { S3MediaStore } from "../../adapters/s3/media_store.ts";
import type { MediaStore } from "../../core/ports/media_store.ts";
import { chunked, collect, png } from "../support/media_host.ts";
import { type TestNats, testNats } from "../support/nats.ts";
import { S3Server } from "../support/s3_server.ts";

let nats: TestNats;
let s3: S3Server;
Deno.test.beforeAll(async () => {
  nats = await testNats();
  s3 = new S3Server();
});
Deno.test.afterAll(async () => {
  await nats[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
});

const TYPE = "image/png";
const openNats = () => NatsMediaStore.open({ ...nats, replicas: 1 });
const STORES: readonly (readonly [string, () => Promise<MediaStore>])[] = [
  ["NATS object store", openNats],
  ["S3 bucket", () => Promise.resolve(new S3MediaStore(s3.settings))],
];

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

async function natsMessages(): Promise<number> {
  const { state } = await nats.jsm.streams.info(`OBJ_${nats.names.mediaBucket}`);
  return state.messages;
}

for (const [name, open] of STORES) {
  Deno.test(`${name}: gives back what was put, whole and in ranges, until it is removed`, async () => {
    const store = await open();
    // One byte, pieces that end exactly at a border, and one that needs several parts of any store.
    for (const size of [41, 524_288, 524_289, 17_000_003]) {
      const file = png(size);
      await store.put("med_a", chunked(file), TYPE);
      ok(same(await collect(store.read("med_a", { start: 0, end: size })), file), `${size} bytes`);
      const ranges = [[0, 1], [size - 1, size], [Math.floor(size / 3), Math.floor(size / 2) + 1]] as const;
      for (const [start, end] of ranges) {
        ok(
          same(await collect(store.read("med_a", { start, end })), file.subarray(start, end)),
          `${size}: ${start}-${end}`,
        );
      }
    }
    await store.remove("med_a");
    await rejects(collect(store.read("med_a", { start: 0, end: 10 })));
    await store.remove("med_a");
  });

  Deno.test(`${name}: a put again replaces all of the former, also where it is shorter`, async () => {
    const store = await open();
    await store.put("med_b", chunked(png(1_200_000)), TYPE);
    const file = png(1_000).reverse();
    await store.put("med_b", chunked(file), TYPE);
    ok(same(await collect(store.read("med_b", { start: 0, end: 1_000 })), file));
    await store.remove("med_b");
  });

  Deno.test(`${name}: a source that breaks leaves nothing`, async () => {
    const store = await open();
    async function* breaking() {
      yield* chunked(png(20_000_000));
      throw new Error("the line broke");
    }
    await rejects(store.put("med_c", breaking(), TYPE), /the line broke/);
    await rejects(collect(store.read("med_c", { start: 0, end: 10 })));
  });

  Deno.test(`${name}: a reader may leave in the middle`, async () => {
    const store = await open();
    await store.put("med_d", chunked(png(3_000_000)), TYPE);
    const reader = store.read("med_d", { start: 0, end: 3_000_000 }).getReader();
    ok((await reader.read()).value!.length > 0);
    await reader.cancel();
    await store.remove("med_d");
  });
}

Deno.test("NATS object store: what is removed leaves no message behind, and bytes survive kill -9 of the server", async () => {
  const store = await openNats();
  equal(await natsMessages(), 0, "the tests before have removed what they put");
  const file = png(2_000_000);
  await store.put("med_e", chunked(file));
  await nats.restart();
  ok(same(await collect((await openNats()).read("med_e", { start: 0, end: file.length })), file));
  await store.remove("med_e");
  equal(await natsMessages(), 0);
});

Deno.test("S3 bucket: large files go in parts, never whole, and none is left open; every signature is right", () => {
  deepEqual(s3.refusals, []);
  equal(s3.uploads.size, 0);
  equal(s3.largestBody, 8_388_608);
});

Deno.test("S3 bucket: a wrong secret is told with the bucket's own word, and a busy bucket is asked again", async () => {
  const wrong = new S3MediaStore({ ...s3.settings, secretAccessKey: "another" });
  await rejects(wrong.put("med_f", chunked(png()), TYPE), /403 SignatureDoesNotMatch/);
  equal(s3.objects.has("med_f"), false);
  s3.failNext = [503, 503];
  await new S3MediaStore(s3.settings).put("med_g", chunked(png()), TYPE);
  ok(same(s3.objects.get("med_g")!, png()));
});
