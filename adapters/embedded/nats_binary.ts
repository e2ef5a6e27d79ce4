/**
 * Finds a nats-server that is new enough, or fetches one.
 *
 * Order: `PATH`, what was fetched before, Debian's package of a newer suite.
 *
 * @module
 */
import { delimiter, dirname, join } from "node:path";
import { aptFetchFile, aptMissing } from "./apt_fetch.ts";
import { cacheFolder } from "./cache_folder.ts";
import { makeFolder } from "./data_folder.ts";
import { type DebianMirror, debianMirrors, readAptSources } from "./debian_mirror.ts";
import { EmbeddedStartError, reasonOf } from "./start_error.ts";

/** The oldest that will do: earlier ones lose data or stall under `sync_interval: always`. */
export const NATS_VERSION_MIN = "2.10.23";

export interface NatsBinary {
  readonly path: string;
  /** E.g. "2.15.1". */
  readonly version: string;
}

export interface FindNatsOptions {
  /** Where fetched programs go when the user has no cache folder. */
  readonly dataDir: string;
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** @default the environment's PATH */
  readonly searchPath?: string | undefined;
  /** @default PATCHBAY_CACHE_DIR, XDG_CACHE_HOME/patchbay, HOME/.cache/patchbay, else `<dataDir>/cache` */
  readonly cacheDir?: string | undefined;
  /** @default those of the machine's apt settings */
  readonly mirrors?: readonly DebianMirror[] | undefined;
}

/** Newest first; 2.12 and later write batches atomically. */
const SUITES = ["forky", "sid", "trixie"];
const MIRRORS_MAX = 2;
const VERSION_MS_MAX = 10_000;

/** Below 0, 0 or above 0 as version `a` is older than, the same as or newer than `b`. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [a, b].map((version) => version.split(/[.\-+]/).map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (x![i] ?? 0) - (y![i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The version that a nats-server says it has; null when it cannot be run. */
export async function natsVersion(path: string): Promise<string | null> {
  try {
    const { stdout } = await new Deno.Command(path, {
      args: ["--version"],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(VERSION_MS_MAX),
    }).output();
    return /nats-server: v?(\d+\.\d+\.\d+\S*)/.exec(new TextDecoder().decode(stdout))?.[1] ?? null;
  } catch {
    return null;
  }
}

async function usable(path: string): Promise<NatsBinary | null> {
  const version = await natsVersion(path);
  return version !== null && compareVersions(version, NATS_VERSION_MIN) >= 0 ? { path, version } : null;
}

async function inSearchPath(
  searchPath: string,
): Promise<{ found: NatsBinary | null; tooOld: string | null }> {
  let tooOld: string | null = null;
  for (const folder of searchPath.split(delimiter)) {
    if (folder === "") continue;
    const path = join(folder, "nats-server");
    if (!(await Deno.stat(path).then((info) => info.isFile, () => false))) continue;
    const found = await usable(path);
    if (found !== null) return { found, tooOld };
    tooOld ??= `${path} is ${await natsVersion(path) ?? "not usable"}`;
  }
  return { found: null, tooOld };
}

function waysOut(why: string): EmbeddedStartError {
  return new EmbeddedStartError(
    `There is no nats-server ${NATS_VERSION_MIN} or newer, and none could be fetched: ${why}\n` +
      "Ways out, any one of them:\n" +
      "  - set NATS_URL to a server with JetStream (and NATS_TOKEN or NATS_CREDS where it wants them);\n" +
      `  - install nats-server ${NATS_VERSION_MIN} or newer (a package or a release binary) so that it is in PATH;\n` +
      "  - run one in a container: docker run -p 4222:4222 nats -js, and set NATS_URL=nats://localhost:4222.",
  );
}

async function fetchNats(
  options: FindNatsOptions,
  destination: string,
  tooOld: string | null,
): Promise<NatsBinary> {
  const { say, signal } = options;
  const mirrors = options.mirrors ?? debianMirrors(readAptSources());
  if (await aptMissing()) throw waysOut("apt-get and dpkg-deb are not on this machine.");
  if (mirrors.length === 0) throw waysOut("apt on this machine has no source of Debian's main archive.");
  makeFolder(dirname(destination), 0o755);
  say(
    `No nats-server ${NATS_VERSION_MIN} or newer here${
      tooOld === null ? "" : ` (${tooOld})`
    }: fetching Debian's ` +
      `package into ${
        dirname(destination)
      } with apt-get. Nothing is installed system-wide; apt checks the signatures.`,
  );
  const faults: string[] = [];
  for (const mirror of mirrors.slice(0, MIRRORS_MAX)) {
    for (const suite of SUITES) {
      try {
        await aptFetchFile({
          mirror,
          suite,
          packageName: "nats-server",
          path: "usr/sbin/nats-server",
          destination,
          signal,
        });
        const fetched = await usable(destination);
        if (fetched !== null) {
          say(`Fetched nats-server ${fetched.version} (Debian ${suite}).`);
          return fetched;
        }
        faults.push(`${suite}'s does not run here or is too old`);
        await Deno.remove(destination);
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof EmbeddedStartError)) throw error;
        faults.push(`${suite}: ${error.message}`);
        say(`Not from Debian ${suite} (${error.message}).`);
      }
    }
  }
  throw waysOut(faults[0] ?? "no suite has it");
}

/**
 * A nats-server that runs here and is {@link NATS_VERSION_MIN} or newer.
 *
 * @throws EmbeddedStartError with the ways out when there is none and none can be fetched
 */
export async function findNatsServer(options: FindNatsOptions): Promise<NatsBinary> {
  const { found, tooOld } = await inSearchPath(options.searchPath ?? Deno.env.get("PATH") ?? "");
  if (found !== null) return found;
  const cached = join(
    options.cacheDir ?? cacheFolder(options.dataDir),
    `nats-server-${Deno.build.arch}`,
    "nats-server",
  );
  try {
    return await usable(cached) ?? await fetchNats(options, cached, tooOld);
  } catch (error) {
    if (error instanceof EmbeddedStartError || options.signal?.aborted) throw error;
    throw waysOut(reasonOf(error));
  }
}
