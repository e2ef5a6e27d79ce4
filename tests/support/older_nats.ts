/**
 * A second, older nats-server for tests: the one that Debian's stable suite carries, fetched once and kept in the cache.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { aptFetchFile, aptMissing } from "../../adapters/embedded/apt_fetch.ts";
import { cacheFolder } from "../../adapters/embedded/cache_folder.ts";
import { debianMirrors, readAptSources } from "../../adapters/embedded/debian_mirror.ts";
import {
  compareVersions,
  NATS_VERSION_MIN,
  type NatsBinary,
  natsVersion,
} from "../../adapters/embedded/nats_binary.ts";

/** Has 2.10; without atomic batches (2.12), which the newer suites' servers have. */
const SUITE = "trixie";
/** Its cache is used where the user has none. */
const DATA_DIR = fileURLToPath(import.meta.resolve("../../.data"));

/** The server, or why there is none. */
export async function findOlderNats(): Promise<NatsBinary | string> {
  const path = join(
    cacheFolder(DATA_DIR),
    `nats-server-${SUITE}-${Deno.build.arch}`,
    "nats-server",
  );
  if (await natsVersion(path) === null) {
    const [mirror] = debianMirrors(readAptSources());
    if (mirror === undefined || await aptMissing()) return "apt has no source of Debian's main archive here";
    await Deno.mkdir(dirname(path), { recursive: true });
    try {
      await aptFetchFile({
        mirror,
        suite: SUITE,
        packageName: "nats-server",
        path: "usr/sbin/nats-server",
        destination: path,
      });
    } catch (error) {
      return `Debian ${SUITE}'s package cannot be fetched: ${(error as Error).message}`;
    }
  }
  const version = await natsVersion(path);
  if (version === null) return `Debian ${SUITE}'s does not run here`;
  return compareVersions(version, NATS_VERSION_MIN) >= 0 && compareVersions(version, "2.12.0") < 0
    ? { path, version }
    : `Debian ${SUITE} has ${version}: wanted is one from ${NATS_VERSION_MIN} to below 2.12`;
}
