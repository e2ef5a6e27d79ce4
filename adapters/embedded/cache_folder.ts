/**
 * Where fetched programs are kept.
 *
 * @module
 */
import { join } from "node:path";
import { makeFolder } from "./data_folder.ts";

/** The cache shared by this user's data folders, so that a new folder fetches nothing again. */
export function cacheFolder(dataDir: string): string {
  const explicit = Deno.env.get("PATCHBAY_CACHE_DIR");
  if (explicit) return explicit;
  const base = Deno.env.get("XDG_CACHE_HOME") ||
    (Deno.env.get("HOME") && join(Deno.env.get("HOME")!, ".cache"));
  if (base) {
    try {
      const path = join(base, "patchbay");
      makeFolder(path, 0o755);
      return path;
    } catch {
      // A home that cannot be written, as services have it.
    }
  }
  return join(dataDir, "cache");
}
