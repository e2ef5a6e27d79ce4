import assert from "node:assert/strict";
import { DirectoryStore } from "../../adapters/postgres/directory_store.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import { createSecretBox } from "../../adapters/system/secret_box.ts";
import { SecretBoxError } from "../../core/ports/secret_box.ts";
import { channelInput, MASTER_KEY, testApp } from "../support/http_app.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
Deno.test.beforeAll(async () => void (postgres = await testPostgres()));
Deno.test.afterAll(() => postgres[Symbol.asyncDispose]());

const box = createSecretBox([MASTER_KEY]);
const store = (database: TestDatabase, more: { pollMs?: number; onError?: (error: unknown) => void } = {}) =>
  new DirectoryStore({
    db: database.db,
    box,
    clock: systemClock,
    onError: (error) => assert.fail(error as Error),
    ...more,
  });

Deno.test("DirectoryStore hears of another process's change by itself, and at once when nudged", async () => {
  await using database = await postgres.database();
  using app = await testApp(database);
  using polled = store(database, { pollMs: 20 });
  using nudged = store(database);
  await polled.start();
  await nudged.start();
  const changed = new Promise<number>((resolve) =>
    polled.onChange((directory) => resolve(directory.queues.size))
  );
  const told = new Promise<number>((resolve) =>
    nudged.onChange((directory) => resolve(directory.queues.size))
  );
  await app.make("/v1/queues", { name: "Elsewhere" });
  nudged.nudge();
  assert.deepEqual(await Promise.all([changed, told]), [1, 1]);
});

Deno.test("DirectoryStore.refresh() has what was committed before it was called, however many call", async () => {
  await using database = await postgres.database();
  using app = await testApp(database);
  using directory = store(database);
  await directory.start();
  for (let i = 1; i <= 10; i++) {
    directory.nudge();
    await app.make("/v1/queues", { name: `Queue ${i}` });
    await Promise.all([directory.refresh(), directory.refresh(), directory.refresh()]);
    assert.equal(directory.current().queues.size, i);
  }
});

Deno.test("DirectoryStore keeps the last snapshot while the database is away", async () => {
  await using database = await postgres.database();
  using app = await testApp(database);
  await app.make("/v1/channels", channelInput("Kept"));
  const errors: unknown[] = [];
  using directory = store(database, { onError: (error) => errors.push(error) });
  await directory.start();
  await database.sql`alter table directory_version rename to gone`;
  await assert.rejects(directory.refresh());
  directory.nudge();
  await new Promise<void>((resolve) => {
    const wait = () => errors.length > 0 ? resolve() : setTimeout(wait, 5);
    wait();
  });
  assert.equal(directory.current().channels.size, 1);
  await database.sql`alter table gone rename to directory_version`;
  await directory.refresh();
});

Deno.test("DirectoryStore.start() rejects under another master key, and names what cannot be opened", async () => {
  await using database = await postgres.database();
  using app = await testApp(database);
  const channel = await app.make("/v1/channels", channelInput("Sealed"));
  using directory = new DirectoryStore({
    db: database.db,
    box: createSecretBox([btoa("another-master-key-of-32-bytes!!")]),
    clock: systemClock,
    onError: () => {},
  });
  await assert.rejects(
    directory.start(),
    (error) =>
      error instanceof SecretBoxError && error.kind === "unknown-key" && error.message.includes(channel.id),
  );
});
