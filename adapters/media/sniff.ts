/**
 * What a file is, by its first bytes.
 *
 * @module
 */
import { fileTypeFromBuffer } from "file-type";

/** The media type that the sample's signature stands for; null when it has none that is known. */
export async function sniffType(sample: Uint8Array): Promise<string | null> {
  return (await fileTypeFromBuffer(sample))?.mime ?? null;
}
