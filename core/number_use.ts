/**
 * Who may write from a number of ours.
 *
 * @module
 */
import type { OwnNumber } from "./channel.ts";
import type { Directory } from "./directory.ts";

/** Whether the extension may by itself, or as a member of one of the number's queues; a number without lists is open to all. */
export function mayWriteFrom(
  { allowedExtensions, allowedQueues }: OwnNumber,
  extensionId: string,
  { queues }: Directory,
): boolean {
  if (allowedExtensions.length === 0 && allowedQueues.length === 0) return true;
  return allowedExtensions.includes(extensionId) ||
    allowedQueues.some((id) => queues.get(id)?.members.has(extensionId) === true);
}
