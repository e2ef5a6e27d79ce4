import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createMediaHandler } from "../../adapters/http/media/serve.ts";
import { uploadRoutes } from "../../adapters/http/media/upload.ts";
import { messageRoutes } from "../../adapters/http/runtime/messages.ts";
import { sniffType } from "../../adapters/media/sniff.ts";
import { PostgresMessageQueries } from "../../adapters/postgres/message_queries.ts";
import { PostgresSessionQueries } from "../../adapters/postgres/session_queries.ts";
import { fillRandom } from "../../adapters/system/random.ts";
import type { CommandEntry } from "../../core/entry.ts";
import { newId } from "../../core/ids.ts";
import { Api } from "../support/api.ts";
import { ADMIN_KEY, channelInput, type TestApp, testApp } from "../support/http_app.ts";
import { collect, png } from "../support/media_host.ts";
import { until } from "../support/until.ts";
import { MediaFixture } from "./fixture.ts";

const HOUR_MS = 3_600_000;

let fixture: MediaFixture;
let app: TestApp;
let server: Deno.HttpServer<Deno.NetAddr>;
let api: Api;
const commands: Omit<CommandEntry, "kind" | "replyTo">[] = [];
const errors: unknown[] = [];

Deno.test.beforeAll(async () => {
  fixture = await MediaFixture.start();
  const { registry, store, links, database, clock } = fixture;
  const now = () => clock.now();
  const media = { registry, store, links };
  app = await testApp(database, {
    now,
    media: createMediaHandler({ ...media, now, onServed: () => {} }),
    onError: (error) => errors.push(error),
    modules: [
      uploadRoutes({ ...media, sniff: sniffType, newId: () => newId("media", now(), fillRandom) }),
      messageRoutes({
        media,
        messages: new PostgresMessageQueries(database.db),
        sessions: new PostgresSessionQueries(database.db),
        ingress: {
          refusal: () => null,
          append: () => Promise.resolve(),
          appendReport: () => Promise.resolve(),
          execute: (command) => {
            commands.push(command);
            return Promise.resolve({ ok: true, messageId: "msg_1" });
          },
        },
      }),
    ],
  });
  server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => app.app.fetch(request),
  );
  api = new Api(`http://127.0.0.1:${server.addr.port}`, ADMIN_KEY);
});
Deno.test.afterAll(async () => {
  await server.shutdown();
  app[Symbol.dispose]();
  await fixture[Symbol.asyncDispose]();
});

function upload(body: BodyInit, headers: Record<string, string> = {}, key = ADMIN_KEY): Promise<Response> {
  return fetch(`${api.url}/v1/media`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, ...headers },
    body,
  });
}

/** A link as it is given out, at the address where the test's server listens. */
function here(url: string): string {
  return url.replace("http://localhost", api.url);
}

const bytesOf = (file: Uint8Array) => file as Uint8Array<ArrayBuffer>;

Deno.test("OUT-6: a file is uploaded in a stream, known by its content, and served by a signed link with ranges", async () => {
  const file = png(3_000_001);
  const answer = await upload(new Blob([bytesOf(file)]).stream(), { "content-type": "text/html" });
  equal(answer.status, 201);
  const media = await answer.json();
  match(media.id, /^med_[0-9a-v]{26}$/);
  deepEqual([media.contentType, media.sizeBytes, media.state], ["image/png", file.length, "ready"]);
  equal(Math.round((Date.parse(media.expiresAt) - Date.now()) / HOUR_MS), 72);

  const whole = await fetch(here(media.url));
  equal(whole.status, 200);
  equal(Buffer.compare(await collect(whole.body!), file), 0);
  const headers = Object.fromEntries(whole.headers);
  equal(headers["content-type"], "image/png");
  equal(headers["content-length"], String(file.length));
  equal(headers["accept-ranges"], "bytes");
  equal(headers["x-content-type-options"], "nosniff");
  equal(headers["content-disposition"], `attachment; filename="${media.id}.png"`);
  match(headers["content-security-policy"]!, /sandbox/);

  const ranges = [["bytes=0-99", 0, 100], ["bytes=1048570-1048580", 1_048_570, 1_048_581], [
    "bytes=-5",
    2_999_996,
    3_000_001,
  ]] as const;
  for (const [range, start, end] of ranges) {
    const part = await fetch(here(media.url), { headers: { range } });
    equal(part.status, 206);
    equal(part.headers.get("content-range"), `bytes ${start}-${end - 1}/${file.length}`);
    equal(Buffer.compare(await collect(part.body!), file.subarray(start, end)), 0);
  }
  const beyond = await fetch(here(media.url), { headers: { range: "bytes=3000001-" } });
  deepEqual([beyond.status, beyond.headers.get("content-range")], [416, `bytes */${file.length}`]);
  await beyond.body?.cancel();
  const head = await fetch(here(media.url), { method: "HEAD" });
  deepEqual([head.status, head.headers.get("content-length"), await head.text()], [
    200,
    String(file.length),
    "",
  ]);
  const etag = head.headers.get("etag")!;
  const known = await fetch(here(media.url), { headers: { "if-none-match": etag } });
  deepEqual([known.status, await known.text()], [304, ""]);
  const changed = await fetch(here(media.url), { headers: { "if-range": '"other"', range: "bytes=0-1" } });
  equal(changed.status, 200);
  await changed.body?.cancel();
  const posted = await fetch(here(media.url), { method: "POST", body: "x" });
  deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
});

Deno.test("a picture has a preview that is shown in place; nothing else is ever shown in a page of ours", async () => {
  const picture = await (await upload(bytesOf(png()))).json();
  const preview = await fetch(here(picture.previewUrl));
  match(preview.headers.get("content-disposition")!, /^inline; /);
  await preview.body?.cancel();
  const page = await (await upload("<script>alert(1)</script>", { "content-type": "text/html" })).json();
  deepEqual([page.contentType, page.previewUrl], ["text/plain", undefined]);
  const link = fixture.links.url({ id: page.id, expiresMs: fixture.clock.now() + 1_000, use: "preview" });
  const forced = await fetch(here(link));
  match(forced.headers.get("content-disposition")!, /^attachment; filename="med_[0-9a-v]+\.txt"$/);
  await forced.body?.cancel();
});

Deno.test("a link that was changed, made up, has expired or leads to nothing is a 404 that says no more", async () => {
  const media = await (await upload(bytesOf(png()))).json();
  const expired = fixture.links.url({ id: media.id, expiresMs: fixture.clock.now() - 1, use: "file" });
  const nothing = fixture.links.url({
    id: newId("media", 1, fillRandom),
    expiresMs: fixture.clock.now() + HOUR_MS,
    use: "file",
  });
  const longer = media.url.replace(
    /\.([0-9a-z]+)\.f\./,
    (_: string, ms: string) => `.${(parseInt(ms, 36) + 1).toString(36)}.f.`,
  );
  const bodies = new Set<string>();
  for (
    const url of [
      expired,
      nothing,
      longer,
      `${media.url}x`,
      `${api.url}/media/`,
      `${api.url}/media/..%2f..%2fetc`,
      `${api.url}/media/a/b`,
    ]
  ) {
    const answer = await fetch(here(url));
    equal(answer.status, 404, url);
    bodies.add(await answer.text());
  }
  equal(bodies.size, 1);
  fixture.aheadMs = 73 * HOUR_MS;
  const late = fixture.links.url({ id: media.id, expiresMs: fixture.clock.now() + HOUR_MS, use: "file" });
  equal(
    (await fetch(here(late)).finally(() => fixture.aheadMs = 0)).status,
    404,
    "the file's own time is over",
  );
});

Deno.test("an upload that is empty, too large or not allowed is refused with the reason, and nothing is kept", async () => {
  const count = async () => (await fixture.database.sql`select 1 from media where state = 'ready'`).length;
  const before = await count();
  const empty = await upload("");
  deepEqual([empty.status, (await empty.json()).type], [400, "/problems/media-empty"]);
  const declared = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await declared.write(new TextEncoder().encode(
    `POST /v1/media HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN_KEY}\r\ncontent-length: 104857601\r\n\r\n`,
  ));
  const buffer = new Uint8Array(2_000);
  const text = new TextDecoder().decode(buffer.subarray(0, await declared.read(buffer) ?? 0));
  declared.close();
  match(text, /^HTTP\/1\.1 413 /);
  equal((await upload(bytesOf(png()), {}, "pbk_nobody")).status, 401);
  await api.post("/v1/keys", { name: "reader", role: "read-only" }).then(async ({ key }) => {
    equal((await upload(bytesOf(png()), {}, key)).status, 403);
  });
  equal(await count(), before);
});

Deno.test("an upload whose line breaks leaves nothing behind, and its key may be used again", async () => {
  using line = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await line.write(new TextEncoder().encode(
    `POST /v1/media HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN_KEY}\r\nidempotency-key: broken\r\n` +
      "content-length: 10000000\r\n\r\n",
  ));
  const file = png(1_100_000);
  for (let at = 0; at < file.length;) at += await line.write(file.subarray(at));
  const begun = await until(
    "it has begun",
    async () =>
      (await fixture.database.sql`select id from media where state = 'uploading' and upload_key is not null`)[
        0
      ],
  );
  const id = String(begun["id"]);
  const piece = () => collect(fixture.store.read(id, { start: 0, end: 10 })).then(() => true, () => false);
  await until("a part of it is stored", piece);
  const meanwhile = await upload(bytesOf(png()), { "idempotency-key": "broken" });
  deepEqual([meanwhile.status, (await meanwhile.json()).type], [409, "/problems/upload-under-way"]);
  line.close();
  await until("it is to be cleared away", async () => (await fixture.row(id)).due_ms <= fixture.clock.now());
  const worker = fixture.worker();
  worker.start();
  await until("it is cleared away", async () => (await fixture.row(id)).due_ms === null);
  await worker.stop();
  equal((await fixture.row(id)).state, "deleted");
  equal(await piece(), false);
  const again = await upload(bytesOf(png()), { "idempotency-key": "broken" });
  equal(again.status, 201);
  await again.body?.cancel();
});

Deno.test("an upload that comes twice under one key is kept once", async () => {
  const once = await (await upload(bytesOf(png()), { "idempotency-key": "k1" })).json();
  const twice = await (await upload(bytesOf(png()), { "idempotency-key": "k1" })).json();
  const other = await (await upload(bytesOf(png()), { "idempotency-key": "k2" })).json();
  equal(twice.id, once.id);
  ok(other.id !== once.id);
});

Deno.test("IN-4, OUT-6: what was uploaded is sent by its id, with a link that ends with the channel's retention time", async () => {
  const channel = await app.make(
    "/v1/channels",
    channelInput("pictures", {
      media: { retentionHours: 100, types: ["image/*"], maxBytes: 1_000 },
    }),
  );
  const silent = await app.make("/v1/channels", channelInput("silent", { media: { outbound: false } }));
  const from = "+14155550111";
  await app.make("/v1/numbers", { channelId: channel.id, number: from, type: "mobile" });
  await app.make("/v1/numbers", { channelId: silent.id, number: "+14155550112", type: "mobile" });
  const extension = await app.make("/v1/extensions", { extension: "101", name: "Alice" });
  const agent = await app.make("/v1/keys", { name: "alice", role: "agent", extensionId: extension.id });
  const media = await (await upload(bytesOf(png()))).json();
  const own = await (await upload(bytesOf(png()), {}, agent.key)).json();
  const large = await (await upload(bytesOf(png(1_001)))).json();
  const text = await (await upload("text")).json();
  const send = (id: string, key = ADMIN_KEY, more: object = {}) =>
    api.as(key).call("POST", "/v1/messages", {
      from,
      to: "+14155550123",
      text: "Look",
      media: [{ id }],
      ...more,
    });

  equal((await send(media.id)).status, 201);
  const command = commands.at(-1)!.command;
  ok(command.kind === "send");
  const [sent] = command.media!;
  const link = fixture.links.read(sent!.url.split("/media/")[1]!, fixture.clock.now())!;
  equal(link.id, media.id);
  const hours = (ms: number) => Math.round((ms - fixture.clock.now()) / HOUR_MS);
  deepEqual([hours(link.expiresMs), hours(sent!.expiresMs!), sent!.contentType], [100, 100, "image/png"]);
  equal(hours((await fixture.row(media.id)).due_ms), 100, "the file is kept as long as its link");
  const bytes = await fetch(here(sent!.url));
  equal(Buffer.compare(await collect(bytes.body!), png()), 0);

  const later = new Date(fixture.clock.now() + 48 * HOUR_MS).toISOString();
  equal((await send(media.id, ADMIN_KEY, { sendAt: later })).status, 201);
  equal(hours((await fixture.row(media.id)).due_ms), 148);

  equal((await send(own.id, agent.key)).status, 201);
  const refusals: [Promise<{ status: number; body: { errors: { field: string }[] } }>, number, string][] = [
    [send(newId("media", 1, fillRandom)), 400, "media.0.id"],
    [send("med_x"), 400, "media.0.id"],
    [send(media.id, agent.key), 400, "media.0.id"],
    [send(large.id), 400, "media.0"],
    [send(text.id), 400, "media.0.contentType"],
    [send(media.id, ADMIN_KEY, { from: "+14155550112" }), 422, "media"],
  ];
  for (const [answer, status, field] of refusals) {
    const { status: got, body } = await answer;
    equal(got, status, field);
    match(body.errors[0]!.field, new RegExp(`^${field.replaceAll(".", "\\.")}`));
  }
});

Deno.test("nothing went wrong unseen", () => {
  deepEqual(errors.map(String), []);
  deepEqual(fixture.errors, []);
});
