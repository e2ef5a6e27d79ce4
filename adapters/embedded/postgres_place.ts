/**
 * Where the database files of a data folder are: in `<data folder>/postgres`, unless PostgreSQL's user
 * cannot get there. Then they are below {@link SHARED_FOLDER}, and `<data folder>/postgres-place` says where.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { makeFolder } from "./data_folder.ts";
import { SHARED_FOLDER } from "./postgres_programs.ts";
import { mayEnter, postgresUser } from "./postgres_user.ts";
import { EmbeddedStartError } from "./start_error.ts";

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function readPlace(file: string): string | null {
  return exists(file) ? Deno.readTextFileSync(file).trim() : null;
}

/**
 * The folder for `startPostgres`. Once chosen it stays, so that the data is found again.
 *
 * @param dataDir an absolute path, locked by the caller
 * @throws EmbeddedStartError when the files are somewhere they cannot be used
 */
export function postgresPlace(dataDir: string, say: (text: string) => void): string {
  const placeFile = join(dataDir, "postgres-place");
  const elsewhere = readPlace(placeFile);
  if (elsewhere !== null) {
    if (exists(elsewhere)) return elsewhere;
    throw new EmbeddedStartError(
      `The database of ${dataDir} was in ${elsewhere} and is not there. ` +
        `Bring it back, or remove ${placeFile} to start with an empty one.`,
    );
  }
  const inside = join(dataDir, "postgres");
  makeFolder(inside, 0o711);
  const user = postgresUser(join(inside, "cluster"));
  if (user === undefined || mayEnter(inside, user)) return inside;
  if (exists(join(inside, "cluster"))) {
    throw new EmbeddedStartError(
      `PostgreSQL does not run as root, and its user ${user.uid} cannot get to ${inside}: ` +
        "let others pass through the folders above it (chmod o+x), or set DATABASE_URL.",
    );
  }
  const place = join(SHARED_FOLDER, randomBytes(8).toString("hex"));
  makeFolder(SHARED_FOLDER, 0o755);
  makeFolder(place, 0o711);
  Deno.writeTextFileSync(placeFile, place + "\n");
  say(`PostgreSQL does not run as root, and other users cannot enter ${dataDir}: its files are in ${place}.`);
  return place;
}

/** Removes a data folder for good, with database files that are elsewhere. Not while it is in use. */
export async function removeDataFolder(dataDir: string): Promise<void> {
  const elsewhere = readPlace(join(dataDir, "postgres-place"));
  if (elsewhere?.startsWith(SHARED_FOLDER + "/")) {
    await Deno.remove(elsewhere, { recursive: true }).catch(() => {});
  }
  await Deno.remove(dataDir, { recursive: true });
}
