import { equal, match, rejects } from "node:assert/strict";
import { join } from "node:path";
import { openDataFolder } from "../../adapters/embedded/data_folder.ts";
import { loadSecrets } from "../../adapters/embedded/secrets_file.ts";
import { EmbeddedStartError } from "../../adapters/embedded/start_error.ts";
import { inTempDir } from "../support/temp_dir.ts";

/** Runs `body` with the path of a data folder that is not there yet. */
const withDataDir = (body: (path: string) => Promise<void>) =>
  inTempDir((folder) => body(join(folder, "data")));

Deno.test("a data folder in use is refused in words that say who has it, and is free afterwards", () =>
  withDataDir(async (path) => {
    const first = await openDataFolder(path);
    equal((await Deno.stat(path)).mode! & 0o777, 0o711);
    await rejects(() => openDataFolder(path), (error) => {
      match(
        String(error),
        new RegExp(`is in use by another run \\(process ${Deno.pid}, since 2.*PATCHBAY_DATA_DIR`),
      );
      return error instanceof EmbeddedStartError;
    });
    first.unlock();
    using _again = await openDataFolder(path);
  }));

Deno.test("a data folder that cannot be made is refused in clear words", () =>
  rejects(() => openDataFolder("/proc/patchbay"), /The folder \/proc\/patchbay cannot be made/));

Deno.test("secrets are made once, readable by their owner only, the same for two at the same time", () =>
  withDataDir(async (path) => {
    const [first, second] = await Promise.all([loadSecrets(path), loadSecrets(path)]);
    equal(first.masterKey, second.masterKey);
    equal(first.natsToken, (await loadSecrets(path)).natsToken);
    equal(Buffer.from(first.masterKey, "base64").length, 32);
    equal((await Deno.stat(join(path, "secrets.json"))).mode! & 0o777, 0o600);
    equal([...Deno.readDirSync(path)].length, 1);
  }));

Deno.test("damaged secrets stop the start and are neither replaced nor quoted", () =>
  withDataDir(async (path) => {
    const { natsToken } = await loadSecrets(path);
    const text = JSON.stringify({ version: 1, natsToken });
    await Deno.writeTextFile(join(path, "secrets.json"), text);
    await rejects(() => loadSecrets(path), (error) => {
      match(String(error), /is damaged/);
      return !String(error).includes(natsToken);
    });
    equal(await Deno.readTextFile(join(path, "secrets.json")), text);
  }));
