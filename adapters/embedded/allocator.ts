/**
 * The memory allocator that the process runs on.
 *
 * Deno takes memory for every request, buffer and hash from the C library. glibc's allocator took a fifth of all CPU
 * under webhooks at full rate; jemalloc takes hardly any (docs/decisions/016). Only the dynamic linker can put another
 * one in its place, and only before the program begins: so a process that finds jemalloc replaces itself by one that has
 * it, with the same process id, arguments and environment.
 *
 * @module
 */
import { join } from "node:path";
import { cacheFolder } from "./cache_folder.ts";

/** As Debian's package `libjemalloc2` and others' call it. */
export const ALLOCATOR_FILE = "libjemalloc.so.2";
/** Debian's folder for libraries of this machine's kind. */
export const MULTIARCH = `${Deno.build.arch}-linux-gnu`;

const PRELOAD = "LD_PRELOAD";

/** Where the machine's own libraries are. */
const LIBRARY_FOLDERS = [`/usr/lib/${MULTIARCH}`, "/usr/lib64", "/usr/lib", "/usr/local/lib"];

/** Where a fetched one is. */
export function fetchedAllocator(cacheDir: string): string {
  return join(cacheDir, `jemalloc-${Deno.build.arch}`, ALLOCATOR_FILE);
}

/** The machine's own jemalloc, else one that was fetched; null: there is none. */
export function findAllocator(
  cacheDir: string,
  libraryFolders: readonly string[] = LIBRARY_FOLDERS,
): string | null {
  const paths = [...libraryFolders.map((folder) => join(folder, ALLOCATOR_FILE)), fetchedAllocator(cacheDir)];
  return paths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }) ?? null;
}

/** Whether this process may have another allocator than it began with: nobody chose one, and nothing forbids it. */
export function mayChangeAllocator(): boolean {
  return Deno.build.os === "linux" && !Deno.env.get(PRELOAD) &&
    Deno.env.get("PATCHBAY_ALLOCATOR") !== "system" &&
    Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** Begins anew on jemalloc where it is at hand and may be used; returns where not. To be called before anything else. */
export function preferAllocator(dataDir: string): void {
  if (!mayChangeAllocator()) return;
  const library = findAllocator(cacheFolder(dataDir));
  if (library !== null) beginAnewWith(library);
}

/** "jemalloc" or "the C library's": the one that this process really runs on. */
export function allocatorInUse(): string {
  try {
    return Deno.readTextFileSync("/proc/self/maps").includes("/libjemalloc.so")
      ? "jemalloc"
      : "the C library's";
  } catch {
    return "the C library's";
  }
}

/** Replaces this process by the same program with `library` preloaded. Returns only when that cannot be done. */
export function beginAnewWith(library: string): void {
  let libc;
  try {
    libc = Deno.dlopen("libc.so.6", { execv: { parameters: ["buffer", "buffer"], result: "i32" } });
  } catch {
    // Another C library: it stays as it is.
    return;
  }
  const args = Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1).map(cString);
  const pointers = new BigUint64Array(args.length + 1);
  args.forEach((arg, index) => pointers[index] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(arg)));
  Deno.env.set(PRELOAD, library);
  libc.symbols.execv(cString(Deno.execPath()), pointers);
  Deno.env.delete(PRELOAD);
  libc.close();
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
