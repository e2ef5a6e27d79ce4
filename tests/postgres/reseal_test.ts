import assert from "node:assert/strict";
import { loadDirectory } from "../../adapters/postgres/directory_loader.ts";
import { resealSecrets } from "../../adapters/postgres/reseal.ts";
import { createSecretBox } from "../../adapters/system/secret_box.ts";
import { SecretBoxError } from "../../core/ports/secret_box.ts";
import { channelInput, MASTER_KEY, testApp } from "../support/http_app.ts";
import { type TestPostgres, testPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
Deno.test.beforeAll(async () => void (postgres = await testPostgres()));
Deno.test.afterAll(() => postgres[Symbol.asyncDispose]());

Deno.test("resealSecrets() moves everything to the newest master key, so that the old one can go", async () => {
  await using database = await postgres.database();
  using app = await testApp(database);
  const channel = await app.make("/v1/channels", channelInput("Sealed"));
  const platform = await app.make("/v1/platforms", { name: "Sealed" });
  const newer = btoa("another-master-key-of-32-bytes!!");
  assert.equal(await resealSecrets(database.db, createSecretBox([MASTER_KEY])), 0);
  await assert.rejects(resealSecrets(database.db, createSecretBox([newer])), SecretBoxError);
  assert.equal(await resealSecrets(database.db, createSecretBox([newer, MASTER_KEY])), 3);
  const directory = await loadDirectory(database.db, createSecretBox([newer]), 0);
  assert.equal(directory?.channels.get(channel.id)?.credentials.authToken, "very-secret-token");
  assert.equal(directory?.platforms.get(platform.id)?.secret, platform.secret);
});
