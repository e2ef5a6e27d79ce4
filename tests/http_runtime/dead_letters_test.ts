import { deepEqual, equal, match } from "node:assert/strict";
import { derivedId } from "../../core/ids.ts";
import type { DeadLetterRow } from "../../core/ports/conversation_store.ts";
import { PostgresDeadLetterStore } from "../../adapters/postgres/dead_letter_store.ts";
import { testPostgres } from "../support/postgres.ts";
import { Fixture, NOW } from "./fixture.ts";

const inbound = {
  kind: "inbound",
  key: "k",
  at: 1,
  channelId: "ch",
  number: "+1",
  contact: "+2",
  text: "hi",
} as const;
const command = {
  kind: "command",
  key: "c",
  at: 1,
  number: "+1",
  contact: "+2",
  author: { kind: "key", id: "key_1" },
  command: { kind: "close", sessionId: "ses_1" },
} as const;
const report = { kind: "report", at: 1, channelId: "ch", messageId: "msg_1", status: "sent" } as const;

Deno.test("dead letters", async (t) => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const fixture = new Fixture(database);
  const store = new PostgresDeadLetterStore(database.db);
  let sequence = 0;
  const bury = async (kind: DeadLetterRow["kind"], payload: string) => {
    const place = { partition: 3, sequence: ++sequence };
    const id = derivedId("deadLetter", NOW, { ...place, entry: 0 }, 0);
    const letter = { id, at_ms: NOW, kind, stream: "test_IN_03", ...place, reason: "because", payload };
    await store.add(letter);
    await store.add({ ...letter, reason: "again" });
    return id;
  };
  const unreadable = await bury("undecodable", '{"kind":"inbound"}');
  const unappliable = await bury("unappliable", JSON.stringify({ ...command, replyTo: "somebody" }));
  const unsigned = await bury("unsigned", JSON.stringify(inbound));
  const pack = await bury("undecodable", JSON.stringify({ v: 1, e: [inbound, report] }));
  const future = await bury("undecodable", JSON.stringify({ v: 2, e: [inbound] }));
  const path = (id: string) => `/v1/dead-letters/${id}`;

  await t.step("are listed without payloads, newest first, by kind and in pages", async () => {
    const first = (await fixture.get("admin", "/v1/dead-letters?limit=3")).body;
    deepEqual(first.items.map((item: { id: string }) => item.id), [future, pack, unsigned]);
    deepEqual(first.items[2], {
      id: unsigned,
      at: new Date(NOW).toISOString(),
      kind: "unsigned",
      stream: "test_IN_03",
      partition: 3,
      sequence: 3,
      reason: "because",
      payloadBytes: JSON.stringify(inbound).length,
      replayedAt: null,
    });
    const second = (await fixture.get("admin", `/v1/dead-letters?cursor=${first.next}`)).body;
    deepEqual(second.items.map((item: { id: string }) => item.id), [unappliable, unreadable]);
    equal((await fixture.get("admin", "/v1/dead-letters?kind=unappliable")).body.items.length, 1);
    equal((await fixture.get("admin", "/v1/dead-letters?kind=alive")).body.errors[0].field, "kind");
  });

  await t.step("are read with their payload", async () => {
    equal((await fixture.get("admin", path(unreadable))).body.payload, '{"kind":"inbound"}');
    equal((await fixture.get("admin", path(`dl_${"0".repeat(26)}`))).status, 404);
  });

  await t.step("that can be read now go back into their logs, once", async () => {
    const { status, body } = await fixture.post("admin", `${path(unappliable)}/replay`);
    equal(status, 200);
    equal(body.replayedAt, new Date(NOW).toISOString());
    deepEqual(fixture.appended.splice(0), [command], "nobody waits for the answer any more");
    equal((await fixture.post("admin", `${path(unappliable)}/replay`)).status, 409);
    equal((await fixture.post("admin", `${path(pack)}/replay`)).status, 200);
    deepEqual(fixture.appended.splice(0), [inbound, report]);
  });

  await t.step("that still cannot be read, or whose sender is not proven, stay", async () => {
    for (
      const [id, detail] of [
        [unreadable, /still cannot be read: key/],
        [future, /pack version 2 is not known/],
        [unsigned, /not proven/],
      ] as const
    ) {
      const { status, body } = await fixture.post("admin", `${path(id)}/replay`);
      equal(status, 409);
      match(body.detail, detail);
      equal((await fixture.get("admin", path(id))).body.replayedAt, null);
    }
    deepEqual(fixture.appended, []);
  });

  await t.step("are the administrators'", async () => {
    for (const key of ["supervisor", "reader", "alice", "bot"]) {
      equal((await fixture.get(key, "/v1/dead-letters")).status, 403);
      equal((await fixture.post(key, `${path(unappliable)}/replay`)).status, 403);
    }
  });

  deepEqual(fixture.errors, []);
});
