/**
 * Files of /proc that may vanish between listing and reading.
 *
 * @module
 */

/** The file's text; empty when it is not there. */
export function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** The names in a folder; none when it is not there. */
export function readDirNames(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}
