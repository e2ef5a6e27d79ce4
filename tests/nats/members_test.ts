import { deepEqual, equal } from "node:assert/strict";
import { connectNats } from "../../adapters/nats/connection.ts";
import { Members } from "../../adapters/nats/members.ts";
import { testNats } from "../support/nats.ts";
import { pause, until } from "../support/until.ts";

const TOKEN = "test-token";

/** A way to `port` that can be cut: connections end, and new ones are refused until it is mended. */
function cuttableWay(port: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let isCut = false;
  const end = (connection: Deno.Conn) => {
    if (!open.delete(connection)) return;
    try {
      connection.close();
    } catch { /* It ended by itself. */ }
  };
  const accept = async () => {
    for await (const near of listener) {
      if (isCut) {
        near.close();
        continue;
      }
      const far = await Deno.connect({ hostname: "127.0.0.1", port });
      open.add(near).add(far);
      const both = [near.readable.pipeTo(far.writable), far.readable.pipeTo(near.writable)];
      Promise.allSettled(both).then(() => [near, far].forEach(end));
    }
  };
  const accepting = accept();
  return {
    url: `nats://127.0.0.1:${listener.addr.port}`,
    cut: () => {
      isCut = true;
      for (const connection of [...open]) end(connection);
    },
    mend: () => void (isCut = false),
    close: async () => {
      listener.close();
      await accepting;
      for (const connection of [...open]) end(connection);
    },
  };
}

Deno.test("a member that others may have taken for dead is not sure of itself before a sign of it is taken again", async () => {
  await using nats = await testNats();
  const way = cuttableWay(Number(new URL(nats.url).port));
  const connection = await connectNats({ url: way.url, token: TOKEN, name: "cut" });
  const member = (id: string, over: typeof connection) =>
    new Members({
      connection: over,
      bucket: "test_members",
      replicas: 1,
      subjectOf: (name) => `test.member.${name}`,
      self: { id, roles: ["sender"], version: "1", host: "test", startedMs: 0 },
      onChange: () => {},
      onError: () => {},
    });
  const observer = member("observer", nats.connection);
  const cut = member("cut", connection);
  await observer.join();
  await cut.join();
  const sureWhileDead: boolean[] = [];
  (async () => {
    for await (const { type } of connection.status()) {
      if (type === "reconnect") sureWhileDead.push(cut.isSure());
    }
  })();
  await until("they see each other", () => observer.isAlive("cut") && cut.isAlive("observer"), 5_000);
  equal(cut.isSure(), true);

  way.cut();
  await until("it is found out", () => !observer.isAlive("cut"), 5_000);
  equal(cut.isSure(), false);
  way.mend();
  await until("it is connected again", () => sureWhileDead.length > 0, 5_000);
  deepEqual(sureWhileDead, [false]);
  await until("it is sure again", () => cut.isSure() && observer.isAlive("cut"), 5_000);

  // Back before anybody misses it, it stays sure.
  await pause(600);
  way.cut();
  way.mend();
  await until("it is connected again", () => sureWhileDead.length > 1, 5_000);
  equal(observer.isAlive("cut"), true);
  for (const one of [cut, observer]) await one.close();
  await connection.close();
  await way.close();
});
