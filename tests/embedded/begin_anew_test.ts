/** On the real dynamic linker: a process that replaces itself by one with jemalloc. */
import { deepEqual, equal, match } from "node:assert/strict";
import { dirname, join } from "node:path";
import { ALLOCATOR_FILE, fetchedAllocator, findAllocator } from "../../adapters/embedded/allocator.ts";
import { fetchAllocator } from "../../adapters/embedded/allocator_fetch.ts";
import { aptMissing } from "../../adapters/embedded/apt_fetch.ts";
import { cacheFolder } from "../../adapters/embedded/cache_folder.ts";
import { DEBIAN_KEYRING } from "../../adapters/embedded/debian_mirror.ts";
import { inTempDir } from "../support/temp_dir.ts";

const FOLDER = import.meta.resolve("../../adapters/embedded");
const PROGRAM = `
import { allocatorInUse } from "${FOLDER}/allocator.ts";
import { beginAnewIfBetter } from "${FOLDER}/begin_anew.ts";
beginAnewIfBetter(Deno.args[0]);
const { KEPT: kept, DENO_V8_FLAGS: flags } = Deno.env.toObject();
console.log(JSON.stringify({ pid: Deno.pid, args: Deno.args, allocator: allocatorInUse(), kept, flags }));
`;

async function put(path: string): Promise<string> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, "");
  return path;
}

function without(env: Readonly<Record<string, string>>, ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
}

/** Runs {@link PROGRAM} and gives what it says of itself, beside its process id as we know it. */
async function run(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const script = join(folder, "program.ts");
  await Deno.writeTextFile(script, PROGRAM);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", script, ...args],
    clearEnv: true,
    env: { ...without(Deno.env.toObject(), "LD_PRELOAD", "DENO_V8_FLAGS"), KEPT: "ä b", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { success, stdout } = await child.output();
  equal(success, true);
  return { started: child.pid, ...JSON.parse(new TextDecoder().decode(stdout)) };
}

Deno.test("findAllocator takes the machine's own before the fetched one", () =>
  inTempDir(async (folder) => {
    const [own, cache] = [join(folder, "lib"), join(folder, "cache")];
    equal(findAllocator(cache, [own]), null);
    const fetched = await put(fetchedAllocator(cache));
    equal(findAllocator(cache, [own]), fetched);
    const installed = await put(join(own, ALLOCATOR_FILE));
    equal(findAllocator(cache, [join(folder, "none"), own]), installed);
  }));

Deno.test("a process begins anew on jemalloc, with its id, arguments and environment", {
  // Fetched by the test runner; a machine without apt has none.
  ignore: findAllocator(cacheFolder(".data")) === null,
}, () =>
  inTempDir(async (folder) => {
    const args = [".data", "", "zwei Wörter", "--role=all"];
    const { started, flags, ...said } = await run(folder, args);
    match(flags, /--heap-growing-percent=\d+/);
    deepEqual(said, { pid: started, args, allocator: "jemalloc", kept: "ä b" });
  }));

Deno.test("PATCHBAY_ALLOCATOR=system keeps the C library's allocator, and flags of one's own stay alone", () =>
  inTempDir(async (folder) => {
    const own = "--max-semi-space-size=16";
    const env = { PATCHBAY_ALLOCATOR: "system", DENO_V8_FLAGS: own };
    const { started, pid, allocator, flags } = await run(folder, [".data"], env);
    deepEqual({ pid, allocator, flags }, { pid: started, allocator: "the C library's", flags: own });
  }));

Deno.test("an allocator that cannot be fetched is told of once, and not asked for again at the next start", {
  ignore: await aptMissing(),
}, () =>
  inTempDir(async (folder) => {
    const said: string[] = [];
    const options = {
      dataDir: folder,
      cacheDir: join(folder, "cache"),
      libraryFolders: [],
      mirrors: [{ uri: `file:${folder}/nothing`, signedBy: DEBIAN_KEYRING }],
      say: (text: string) => said.push(text),
    };
    equal(await fetchAllocator(options), null);
    match(said.at(-1)!, /^Not fetched \(.+\); the C library's allocator serves as well\.$/);
    const before = said.length;
    equal(await fetchAllocator(options), null);
    equal(said.length, before);
  }));
