/**
 * Where the hot paths get the configuration from.
 *
 * @module
 */
import type { Directory } from "../directory.ts";

export interface DirectorySource {
  /** The newest snapshot this process has. */
  current(): Directory;
  /** Calls `listener` after each change; returns the way to stop. */
  onChange(listener: (directory: Directory) => void): () => void;
}
