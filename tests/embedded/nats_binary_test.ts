import { equal, match, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import {
  compareVersions,
  findNatsServer,
  NATS_VERSION_MIN,
  natsVersion,
} from "../../adapters/embedded/nats_binary.ts";
import { DEBIAN_KEYRING } from "../../adapters/embedded/debian_mirror.ts";
import { EmbeddedStartError } from "../../adapters/embedded/start_error.ts";
import { inTempDir } from "../support/temp_dir.ts";

/** A folder with a `nats-server` that only says its version. */
async function fakeNats(folder: string, version: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const path = join(folder, "nats-server");
  await Deno.writeTextFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  await Deno.chmod(path, 0o755);
  return path;
}

Deno.test("compareVersions compares numbers, not text", () => {
  ok(compareVersions("2.9.10", NATS_VERSION_MIN) < 0);
  ok(compareVersions("2.10.22", NATS_VERSION_MIN) < 0);
  equal(compareVersions("2.10.23", NATS_VERSION_MIN), 0);
  ok(compareVersions("2.12.0-RC.1", NATS_VERSION_MIN) > 0);
  ok(compareVersions("10.0.0", "9.9.9") > 0);
});

Deno.test("natsVersion is null for what is not a nats-server", async () => {
  equal(await natsVersion("/bin/true"), null);
  equal(await natsVersion("/does/not/exist"), null);
});

Deno.test("findNatsServer takes the first one in PATH that is new enough, and passes over one that is too old", () =>
  inTempDir(async (folder) => {
    await fakeNats(join(folder, "old"), "2.9.10");
    const newer = await fakeNats(join(folder, "newer"), "2.11.4");
    const searchPath = [join(folder, "none"), join(folder, "old"), join(folder, "newer")].join(":");
    const found = await findNatsServer({ dataDir: folder, searchPath, say: () => {}, mirrors: [] });
    equal(found.path, newer);
    equal(found.version, "2.11.4");
  }));

Deno.test("findNatsServer takes what was fetched before, rather than one in PATH that is too old", () =>
  inTempDir(async (folder) => {
    await fakeNats(join(folder, "old"), "2.10.22");
    const cached = await fakeNats(join(folder, "cache", `nats-server-${Deno.build.arch}`), "2.15.1");
    const options = {
      dataDir: folder,
      cacheDir: join(folder, "cache"),
      searchPath: join(folder, "old"),
      mirrors: [],
    };
    equal((await findNatsServer({ ...options, say: () => {} })).path, cached);
  }));

Deno.test("findNatsServer names the ways out when nothing can be fetched", () =>
  inTempDir(async (folder) => {
    await fakeNats(join(folder, "old"), "2.9.10");
    const said: string[] = [];
    const mirrors = [{ uri: `file:${folder}/no-archive`, signedBy: DEBIAN_KEYRING }];
    const options = {
      dataDir: folder,
      cacheDir: join(folder, "cache"),
      searchPath: join(folder, "old"),
      mirrors,
    };
    await rejects(
      () => findNatsServer({ ...options, say: (text) => said.push(text) }),
      (error) => {
        ok(error instanceof EmbeddedStartError);
        for (const way of [/NATS_URL/, /install nats-server 2\.10\.23 or newer/, /container/]) {
          match(error.message, way);
        }
        return true;
      },
    );
    match(said[0]!, /old\/nats-server is 2\.9\.10.*apt-get.*Nothing is installed system-wide/);
  }));
