/**
 * A folder for the length of a test.
 *
 * @module
 */

/** Runs `body` with a new folder, and removes it afterwards. */
export async function inTempDir(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "patchbay-test-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
