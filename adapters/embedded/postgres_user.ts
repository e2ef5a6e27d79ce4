/**
 * As whom PostgreSQL runs: it refuses to run as root.
 *
 * @module
 */
import { dirname } from "node:path";
import type { RunAs } from "./child.ts";
import { EmbeddedStartError } from "./start_error.ts";

/** An unprivileged account of this machine: `nobody`, else the numbers it has nearly everywhere. */
function nobody(): RunAs {
  try {
    const line = Deno.readTextFileSync("/etc/passwd").split("\n").find((entry) =>
      entry.startsWith("nobody:")
    );
    const [, , uid, gid] = (line ?? "").split(":").map(Number);
    if (uid! > 0 && gid! > 0) return { uid: uid!, gid: gid! };
  } catch {
    // No such file in the smallest containers.
  }
  return { uid: 65_534, gid: 65_534 };
}

/**
 * The user for the server on `cluster`: undefined (this process's own) unless that is root. Root runs an
 * existing cluster as its owner, so that an ordinary user's folder stays usable for that user.
 */
export function postgresUser(cluster: string): RunAs | undefined {
  if (Deno.uid() !== 0) return undefined;
  try {
    const { uid, gid } = Deno.statSync(cluster);
    if (uid !== null && uid !== 0) return { uid, gid: gid! };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return nobody();
}

/** Whether `user` may pass through `path`'s folders and enter `path` itself, a folder that exists. */
export function mayEnter(path: string, user: RunAs): boolean {
  for (let folder = Deno.realPathSync(path);; folder = dirname(folder)) {
    const { mode, uid, gid } = Deno.statSync(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if (((mode ?? 0) & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** Gives `path` (not what is in it) to `user`. */
export function giveTo(path: string, user: RunAs | undefined): void {
  if (user === undefined) return;
  try {
    Deno.chownSync(path, user.uid, user.gid);
  } catch (error) {
    throw new EmbeddedStartError(
      `PostgreSQL does not run as root, and ${path} cannot be given to another user ` +
        `(${
          error instanceof Error ? error.message : error
        }). Start the program as an ordinary user, or set DATABASE_URL.`,
    );
  }
}
