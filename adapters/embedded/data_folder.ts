/**
 * The data folder: where the embedded servers keep everything, used by one run at a time.
 *
 * The lock is the kernel's (flock on `<folder>/lock`): it goes with the process however that ends, so a lock
 * left behind by kill -9 needs no recovery. What the file says is only for the message to the next one.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { EmbeddedStartError, reasonOf } from "./start_error.ts";

export interface DataFolder extends Disposable {
  /** Absolute. */
  readonly path: string;
  /** Gives the folder free for another run. */
  unlock(): void;
}

/** Makes `path` with `mode` where it is not there. An existing folder's mode is left as it is. */
export function makeFolder(path: string, mode: number): void {
  try {
    Deno.mkdirSync(path, { recursive: true });
    // By chmod, because mkdir's mode is cut by the umask; only for an empty one, which is new or nobody's home.
    if (Deno.readDirSync(path)[Symbol.iterator]().next().done) Deno.chmodSync(path, mode);
  } catch (error) {
    throw new EmbeddedStartError(`The folder ${path} cannot be made or read: ${reasonOf(error)}`);
  }
}

/**
 * Takes the lock `<folder>/lock`, for as long as this process lives or until it is disposed of.
 *
 * @param what how the message calls the folder, e.g. "data folder"
 * @throws EmbeddedStartError when another live run holds it
 */
export async function lockFolder(path: string, what: string): Promise<DataFolder> {
  const lockPath = join(path, "lock");
  let file: Deno.FsFile;
  try {
    file = await Deno.open(lockPath, { read: true, write: true, create: true, mode: 0o644 });
  } catch (error) {
    throw new EmbeddedStartError(`The ${what} ${path} cannot be written: ${reasonOf(error)}`);
  }
  let locked = false;
  try {
    locked = await file.tryLock(true);
  } catch (error) {
    file.close();
    throw new EmbeddedStartError(`The ${what} ${path} cannot be locked: ${reasonOf(error)}`);
  }
  if (!locked) {
    file.close();
    const holder = (await Deno.readTextFile(lockPath).catch(() => "")).trim();
    throw new EmbeddedStartError(
      `The ${what} ${path} is in use by another run${holder && ` (${holder})`}. ` +
        "Stop that one first, or choose another folder with PATCHBAY_DATA_DIR.",
    );
  }
  await file.truncate(0);
  await file.write(new TextEncoder().encode(`process ${Deno.pid}, since ${new Date().toISOString()}\n`));
  let open = true;
  const unlock = () => {
    if (open) file.close();
    open = false;
  };
  return { path, unlock, [Symbol.dispose]: unlock };
}

/**
 * Makes the data folder where needed and takes it for this run.
 *
 * It may be entered by others (mode 0711) because PostgreSQL runs as another user when the program is
 * started by root; what is secret below it has modes of its own.
 *
 * @throws EmbeddedStartError when it is in use or cannot be written
 */
export async function openDataFolder(dataDir: string): Promise<DataFolder> {
  const path = resolve(dataDir);
  makeFolder(path, 0o711);
  return await lockFolder(path, "data folder");
}
