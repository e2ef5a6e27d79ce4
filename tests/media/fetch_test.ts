import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { MediaWorker } from "../../core/media/media_worker.ts";
import { collect, MediaHost, png } from "../support/media_host.ts";
import { until } from "../support/until.ts";
import { ACCOUNT, MediaFixture, type WorkerOptions } from "./fixture.ts";

const HOUR_MS = 3_600_000;
const BASIC = `Basic ${btoa(`${ACCOUNT.accountSid}:${ACCOUNT.authToken}`)}`;

let fixture: MediaFixture;
Deno.test.beforeAll(async () => void (fixture = await MediaFixture.start()));
Deno.test.afterAll(() => fixture[Symbol.asyncDispose]());

/** A started worker that is stopped at the end. */
function running(options: WorkerOptions = {}): MediaWorker & AsyncDisposable {
  const worker = fixture.worker(options);
  worker.start();
  return Object.assign(worker, { [Symbol.asyncDispose]: () => worker.stop() });
}

async function stored(mediaId: string, size: number): Promise<Uint8Array> {
  return await collect(fixture.store.read(mediaId, { start: 0, end: size }));
}

const told = (mediaId: string) =>
  // deno-lint-ignore no-explicit-any
  fixture.events.map((event) => event.data as any).filter((data) => data.media.id === mediaId);

Deno.test("a message's files are fetched with the provider's credentials, kept for 72 hours, and told of", async () => {
  await using _worker = running();
  const file = png(1_500_000);
  const picture = fixture.host.file("/picture", file, "application/octet-stream");
  const card = fixture.host.file("/card", new TextEncoder().encode("BEGIN:VCARD\nEND:VCARD\n"), "text/vcard");
  const { id, media } = await fixture.message(picture, card);
  const row = await fixture.settled(media[0]!, "ready");
  await fixture.settled(media[1]!, "ready");
  equal(Buffer.compare(await stored(media[0]!, file.length), file), 0);
  deepEqual(fixture.host.asked("/picture").map(({ authorization }) => authorization), [BASIC]);
  const left = Number(row["expires_ms"]) - fixture.clock.now();
  ok(left > 71.9 * HOUR_MS && left <= 72 * HOUR_MS);
  equal(row["due_ms"], row["expires_ms"]);
  const [first, second] = await fixture.mediaOf(id);
  deepEqual([first.state, first.contentType, first.sizeBytes, first.expiresMs], [
    "ready",
    "image/png",
    file.length,
    row["expires_ms"],
  ]);
  deepEqual([second.state, second.contentType], ["ready", "text/vcard"]);
  const [event, ...more] = told(media[0]!);
  equal(more.length, 0);
  deepEqual([event.messageId, event.media.state, event.media.sizeBytes], [id, "ready", file.length]);
  deepEqual(fixture.links.read(event.media.url.split("/media/")[1], fixture.clock.now())?.id, media[0]);
});

Deno.test("credentials go to the provider's host only: not where it redirects to, and not to any other", async () => {
  await using other = new MediaHost();
  await using _worker = running();
  const target = other.file("/cdn", png(), "image/png");
  const away = fixture.host.on("/away", () => Response.redirect(target, 307));
  const within = fixture.host.on(
    "/within",
    () => new Response(null, { status: 302, headers: { location: "/there" } }),
  );
  fixture.host.file("/there", png(), "image/png");
  const direct = other.file("/direct", png(), "image/png");
  const { media } = await fixture.message(away, within, direct);
  for (const id of media) await fixture.settled(id, "ready");
  deepEqual(fixture.host.asked("/away").map(({ authorization }) => authorization), [BASIC]);
  deepEqual(fixture.host.asked("/there").map(({ authorization }) => authorization), [BASIC]);
  deepEqual(other.requests.map(({ authorization }) => authorization), [null, null]);
});

Deno.test("a private address is not called, neither at first nor behind a redirect", async () => {
  // The host's own origin alone is allowed: the same machine at another port is not.
  await using other = new MediaHost();
  const secret = other.file("/secret", png(), "image/png");
  await using _worker = running({ allow: new URL(fixture.host.origin).host });
  const detour = fixture.host.on("/detour", () => Response.redirect(secret, 302));
  const { id, media } = await fixture.message(
    secret,
    detour,
    "http://169.254.169.254/latest",
    "ftp://127.0.0.1/x",
  );
  for (const one of media) await fixture.settled(one, "failed");
  equal(other.requests.length, 0);
  const reasons = (await fixture.mediaOf(id)).map(({ reason }) => reason);
  for (const reason of reasons.slice(0, 3)) match(reason, /private network/);
  match(reasons[3], /only http and https/);
});

Deno.test("a redirect in a circle ends", async () => {
  await using _worker = running();
  const circle = fixture.host.on(
    "/circle",
    () => new Response(null, { status: 302, headers: { location: "/circle" } }),
  );
  const { media } = await fixture.message(circle);
  match(String((await fixture.settled(media[0]!, "failed"))["error"]), /redirects more than 5 times/);
  equal(fixture.host.asked("/circle").length, 6);
});

Deno.test("a file above the channel's limit is refused by its announced length, or cut off while it comes; nothing stays", async () => {
  await using _worker = running({ settings: { media: { maxBytes: 600_000 } } });
  let sent = 0;
  const announced = fixture.host.file("/announced", png(600_001), "image/png");
  const endless = fixture.host.on("/endless", () =>
    new Response(
      new ReadableStream({
        pull: (controller) => {
          controller.enqueue(png(50_000) as Uint8Array<ArrayBuffer>);
          sent += 50_000;
        },
      }),
      { headers: { "content-type": "image/png" } },
    ));
  const fitting = fixture.host.file("/fitting", png(600_000), "image/png");
  const { media } = await fixture.message(announced, endless, fitting);
  for (const id of media.slice(0, 2)) {
    match(String((await fixture.settled(id, "failed"))["error"]), /more than 600000 bytes/);
    equal(await stored(id, 10).then(() => "there", () => "gone"), "gone");
  }
  await fixture.settled(media[2]!, "ready");
  ok(sent < 20_000_000, `${sent} bytes were taken of an endless file`);
  equal(told(media[0]!)[0].media.state, "failed");
});

Deno.test("a type that the channel does not take is refused whatever the file is called", async () => {
  await using _worker = running({ settings: { media: { types: ["image/*"] } } });
  const text = fixture.host.file(
    "/fake.png",
    new TextEncoder().encode("<html>not a picture</html>"),
    "image/png",
  );
  const real = fixture.host.file("/real.bin", png(), "text/html");
  const { id, media } = await fixture.message(text, real);
  await fixture.settled(media[0]!, "failed");
  await fixture.settled(media[1]!, "ready");
  const [first] = await fixture.mediaOf(id);
  match(first.reason, /text\/plain; taken are image\/\*/);
});

Deno.test("what fails for now is tried again: errors, silence, a connection that breaks", async () => {
  await using _worker = running({ settings: { timeoutMs: 300 } });
  const file = png(400_000);
  const answer = () => new Response(file as Uint8Array<ArrayBuffer>);
  const late = fixture.host.on(
    "/late",
    (_, count) => count === 1 ? new Response(null, { status: 404 }) : answer(),
  );
  const fault = fixture.host.on(
    "/fault",
    (_, count) => count === 1 ? new Response(null, { status: 500 }) : answer(),
  );
  const mute = fixture.host.on("/mute", (_, count) => count === 1 ? fixture.host.silence() : answer());
  const stuck = fixture.host.on(
    "/stuck",
    (_, count) =>
      count > 1 ? answer() : new Response(
        new ReadableStream({ start: (controller) => controller.enqueue(file.slice(0, 100_000)) }),
      ),
  );
  const torn = fixture.host.on("/torn", (_, count) =>
    count > 1 ? answer() : new Response(
      new ReadableStream({
        start: (controller) => {
          controller.enqueue(file.slice(0, 100_000));
          setTimeout(() => controller.error(new Error("torn")), 50);
        },
      }),
    ));
  const { media } = await fixture.message(late, fault, mute, stuck, torn);
  for (const [index, path] of ["/late", "/fault", "/mute", "/stuck", "/torn"].entries()) {
    const row = await fixture.settled(media[index]!, "ready");
    equal(row["attempts"], 2, path);
    equal(Buffer.compare(await stored(media[index]!, file.length), file), 0, path);
    equal(told(media[index]!).length, 1, path);
  }
});

Deno.test("what is gone for good is not asked for again, and its message says why", async () => {
  await using _worker = running();
  const gone = fixture.host.on("/gone", () => new Response(null, { status: 410 }));
  const { id, media } = await fixture.message(gone);
  await fixture.settled(media[0]!, "failed");
  equal(fixture.host.asked("/gone").length, 1);
  deepEqual((await fixture.mediaOf(id)).map(({ state, reason }) => [state, reason]), [[
    "failed",
    "the media host answered HTTP 410",
  ]]);
});

Deno.test("a day's failures are enough", async () => {
  const away = fixture.host.on("/never", () => new Response(null, { status: 503 }));
  const { media } = await fixture.message(away);
  fixture.aheadMs = 25 * HOUR_MS;
  try {
    await using _worker = running();
    match(
      String((await fixture.settled(media[0]!, "failed"))["error"]),
      /given up after 1 tries: .* HTTP 503/,
    );
  } finally {
    fixture.aheadMs = 0;
  }
});

Deno.test("a fetch that a stop breaks off is taken up at once by the next worker; two workers share the work", async () => {
  let hold = true;
  const file = png(200_000);
  const slow = fixture.host.on(
    "/slow",
    () => hold ? fixture.host.silence() : new Response(file as Uint8Array<ArrayBuffer>),
  );
  const first = fixture.worker({ settings: { timeoutMs: 60_000 } });
  first.start();
  const { media } = await fixture.message(slow);
  first.nudge();
  await until("the first worker is at it", () => fixture.host.asked("/slow").length === 1);
  await first.stop();
  hold = false;
  const row = await fixture.row(media[0]!);
  deepEqual([row.state, row.claim], ["pending", null]);
  await using _second = running();
  await using _third = running();
  await fixture.settled(media[0]!, "ready");
  const messages = await Promise.all(
    Array.from({ length: 12 }, (_, i) => fixture.message(fixture.host.file(`/n${i}`, file, "image/png"))),
  );
  for (const { media: [id] } of messages) await fixture.settled(id!, "ready");
  for (let i = 0; i < 12; i++) equal(fixture.host.asked(`/n${i}`).length, 1);
  for (const { media: [id] } of messages) equal(told(id!).length, 1);
});

Deno.test("a worker that is killed loses its claim after seconds; what it had fetched is told by the next", async () => {
  const file = fixture.host.file("/claimed", png(), "image/png");
  const { media } = await fixture.message(file);
  const [id] = media;
  // Broken off between the fetch and the telling: the claim stays until its time is over.
  const killed = fixture.worker({
    process: "killed",
    publish: () => Promise.reject(new Error("the broker is away")),
  });
  killed.start();
  await until(
    "it could not be told",
    () => fixture.errors.some((error) => error.includes("the broker is away")),
  );
  await killed.stop();
  const row = await fixture.row(id!);
  deepEqual([row.claim, row.told], ["killed", false]);
  ok(row.due_ms > fixture.clock.now() && row.due_ms <= fixture.clock.now() + 10_000);
  await fixture.database.sql`update media set due_ms = ${fixture.clock.now()} where id = ${id!}`;
  await using _worker = running();
  await fixture.settled(id!, "ready");
  equal(told(id!).length, 1);
  equal(fixture.host.asked("/claimed").length, 1);
});

Deno.test("at the end of its time a file is removed from the store and its row says so", async () => {
  const file = fixture.host.file("/mortal", png(), "image/png");
  const { media } = await fixture.message(file);
  const [id] = media;
  await using _worker = running({ settings: { media: { retentionHours: 1 } } });
  await fixture.settled(id!, "ready");
  ok(await fixture.registry.get(id!, fixture.clock.now()) !== null);
  fixture.aheadMs = HOUR_MS + 1;
  try {
    equal(await fixture.registry.get(id!, fixture.clock.now()), null);
    await until("it is deleted", async () => {
      const row = await fixture.row(id!);
      return row.state === "deleted" && row.due_ms === null;
    });
    equal(await stored(id!, 10).then(() => "there", () => "gone"), "gone");
  } finally {
    fixture.aheadMs = 0;
  }
});
