/** The load's thread against a real server: each request once, in its line's order, and every answer told. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { type Load, prepareLoad } from "../../../bench/load/load.ts";
import { assertClean, type LoadPlan } from "../../../bench/load/plan.ts";
import { preciseNowMs } from "../../../bench/simulator/clock.ts";

/** Called by the load's thread: `POST /` with the index, and so much beside it. */
export function numbered({ bytes }: { bytes: number }): (index: number) => string {
  return (index) => {
    const body = `${index} ${"x".repeat(bytes)}`;
    return `POST / HTTP/1.1\r\nhost: here\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  };
}

const requests = (bytes = 10) => ({ module: import.meta.url, name: "numbered", args: { bytes } });

interface Taken {
  readonly index: number;
  readonly port: number;
  readonly length: number;
}

/** A server that notes what comes and answers as it is told. */
function serve(
  answer: (index: number) => Response | Promise<Response> = () => new Response(null, { status: 204 }),
) {
  const taken: Taken[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request, info) => {
    const text = await request.text();
    const index = parseInt(text);
    taken.push({ index, port: info.remoteAddr.port, length: text.length });
    return await answer(index);
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return { origin, taken, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function run(plan: Omit<LoadPlan, "rateMps"> & { rateMps?: number }) {
  using load: Load = await prepareLoad({ rateMps: null, ...plan });
  return { result: await load.run(), load };
}

Deno.test("a count: each request once, on its own line, in order", async () => {
  await using server = serve();
  const { result, load } = await run({ origin: server.origin, lines: 7, count: 100, requests: requests() });
  assertClean(result);
  equal(result.accepted, 100);
  equal(result.latency.count, 100);
  deepEqual(
    server.taken.map(({ index }) => index).sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
  const lines = Map.groupBy(server.taken, ({ port }) => port);
  equal(lines.size, 7);
  for (const line of lines.values()) {
    line.forEach(({ index }, i) => equal(index, line[0]!.index + 7 * i));
  }
  ok(preciseNowMs() - load.leftMs(99)! < 60_000);
  equal(load.leftMs(100), null);
  equal(load.accepted, 100);
});

Deno.test("a rate for a time: as many as are due, those of the warm-up not measured", async () => {
  await using server = serve();
  const { result, load } = await run({
    origin: server.origin,
    lines: 4,
    rateMps: 100,
    warmupMs: 300,
    seconds: 0.7,
    requests: requests(),
  });
  assertClean(result);
  ok(result.accepted >= 95 && result.accepted <= 101, `${result.accepted}`);
  ok(result.latency.count < result.accepted - 20, `${result.latency.count} of ${result.accepted}`);
  equal(load.leftMs(0), null);
  ok(load.leftMs(90) !== null);
});

Deno.test("long requests and answers, in pieces and in chunks, and lines that the server closes", async () => {
  const long = "y".repeat(300_000);
  await using server = serve((index) => {
    if (index % 3 === 0) return new Response(long);
    if (index % 3 === 1) {
      return new Response(ReadableStream.from([long, "z"]).pipeThrough(new TextEncoderStream()));
    }
    return new Response("bye", { headers: { connection: "close" } });
  });
  const { result } = await run({ origin: server.origin, lines: 3, count: 30, requests: requests(200_000) });
  assertClean(result);
  equal(result.accepted, 30);
  ok(server.taken.every(({ length }) => length > 200_000));
});

Deno.test("other answers are refused with the first one's body, and a line that breaks is counted", async () => {
  await using server = serve((index) => new Response(`not ${index}`, { status: index === 1 ? 429 : 200 }));
  const { result } = await run({ origin: server.origin, lines: 2, count: 6, requests: requests() });
  deepEqual([result.accepted, result.refused, result.statuses[429], result.firstRefusal], [5, 1, 1, "not 1"]);

  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const hangingUp = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(1_000));
      connection.close();
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const hung = await run({ origin: `http://127.0.0.1:${port}`, lines: 1, count: 2, requests: requests() });
  listener.close();
  await hangingUp;
  deepEqual([hung.result.accepted, hung.result.broken], [0, 2]);
  match(Object.keys(hung.result.breaks)[0]!, /closed|broke/);
});

Deno.test("a load that cannot be is refused with the reason", async () => {
  const none = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = none.addr as Deno.NetAddr;
  none.close();
  const endless = { lines: 1, requests: requests() };
  const plan = { ...endless, count: 1 };
  await rejects(run({ ...plan, origin: `http://127.0.0.1:${port}` }), /accepts no connection/);
  await rejects(run({ ...plan, origin: "http://example.com" }), /127\.0\.0\.1 alone/);
  await rejects(prepareLoad({ ...endless, origin: "http://127.0.0.1", rateMps: 1 }), /needs an end/);
});
