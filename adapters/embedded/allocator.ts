/**
 * The memory allocator that the process runs on.
 *
 * Deno takes memory for every request, buffer and hash from the C library. glibc's allocator took an eighth of all CPU
 * under webhooks at full rate, jemalloc takes much less (docs/decisions/016).
 *
 * @module
 */
import { join } from "node:path";

/** As Debian's package `libjemalloc2` and others' call it. */
export const ALLOCATOR_FILE = "libjemalloc.so.2";
/** Debian's folder for libraries of this machine's kind. */
export const MULTIARCH = `${Deno.build.arch}-linux-gnu`;

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
  return paths.find(isFile) ?? null;
}

/** The one that this process really runs on. */
export function allocatorInUse(): "jemalloc" | "the C library's" {
  try {
    if (Deno.readTextFileSync("/proc/self/maps").includes("/libjemalloc.so")) return "jemalloc";
  } catch {
    // Another system.
  }
  return "the C library's";
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
