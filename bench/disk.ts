/**
 * The disk between two measurements.
 *
 * @module
 */

/**
 * Waits until all that was written before is on the disk. Some GB of a former measurement wait in memory to be written, and
 * while they are each fsync of the next one stands in their queue.
 */
export async function untilWritten(): Promise<void> {
  const { success } = await new Deno.Command("sync").output();
  if (!success) throw new Error("sync failed");
}
