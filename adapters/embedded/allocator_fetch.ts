/**
 * Fetches jemalloc for a machine that has none: Debian's package, of the machine's own suite, since a newer one asks for
 * a newer C library.
 *
 * @module
 */
import { dirname } from "node:path";
import { ALLOCATOR_FILE, fetchedAllocator, findAllocator, MULTIARCH } from "./allocator.ts";
import { aptFetchFile, aptMissing } from "./apt_fetch.ts";
import { mayChangeAllocator } from "./begin_anew.ts";
import { cacheFolder } from "./cache_folder.ts";
import { makeFolder } from "./data_folder.ts";
import { type DebianMirror, debianMirrors, readAptSources } from "./debian_mirror.ts";

const PACKAGE = "libjemalloc2";
/** After a failed try: a machine without a network is not to wait at every start. */
const RETRY_MS = 86_400_000;

export interface FetchAllocatorOptions {
  readonly dataDir: string;
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** @default the machine's folders of libraries */
  readonly libraryFolders?: readonly string[] | undefined;
  /** @default `cacheFolder` of the data folder */
  readonly cacheDir?: string | undefined;
  /** @default those of the machine's apt settings */
  readonly mirrors?: readonly DebianMirror[] | undefined;
}

/**
 * Makes sure that there is a jemalloc, and gives its path where this process could have it and has not. Null where it has
 * one, wants none, or none can be had; what was tried in vain is not tried again for a day. Never rejects but when aborted.
 */
export async function fetchAllocator(options: FetchAllocatorOptions): Promise<string | null> {
  if (!mayChangeAllocator()) return null;
  const cacheDir = options.cacheDir ?? cacheFolder(options.dataDir);
  const found = findAllocator(cacheDir, options.libraryFolders);
  if (found !== null) return found;
  const path = fetchedAllocator(cacheDir);
  const failed = `${dirname(path)}/failed`;
  if (await isRecent(failed)) return null;
  const suite = /^VERSION_CODENAME="?([a-z]+)/m.exec(await read("/etc/os-release"))?.[1];
  const [mirror] = options.mirrors ?? debianMirrors(readAptSources());
  if (suite === undefined || mirror === undefined || await aptMissing()) return null;
  options.say(
    `No ${ALLOCATOR_FILE} here: fetching Debian's package into ${
      dirname(path)
    } with apt-get, as Patchbay is a ` +
      "fifth faster on it. Nothing is installed system-wide; apt checks the signatures.",
  );
  try {
    makeFolder(dirname(path), 0o755);
    await aptFetchFile({
      mirror,
      suite,
      packageName: PACKAGE,
      path: `usr/lib/${MULTIARCH}/${ALLOCATOR_FILE}`,
      destination: path,
      signal: options.signal,
    });
    if (await runsWith(path)) return path;
    await Deno.remove(path);
    options.say("It does not run here; the C library's allocator serves as well.");
  } catch (error) {
    options.signal?.throwIfAborted();
    options.say(`Not fetched (${(error as Error).message}); the C library's allocator serves as well.`);
  }
  // Where nothing can be written it is tried again at the next start.
  await Deno.writeTextFile(failed, "").catch(() => {});
  return null;
}

/** Whether a program starts with `library`: the linker would complain at every start. */
async function runsWith(library: string): Promise<boolean> {
  const { success, stderr } = await new Deno.Command("/bin/true", {
    env: { LD_PRELOAD: library },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return success && stderr.length === 0;
}

async function isRecent(path: string): Promise<boolean> {
  try {
    return Date.now() - (await Deno.stat(path)).mtime!.getTime() < RETRY_MS;
  } catch {
    return false;
  }
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
