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

/** One that can be told to look for a newer snapshot. */
export interface FreshDirectory extends DirectorySource {
  /** Resolves once `current()` has everything that was committed before this call. Rejects when the database is away. */
  refresh(): Promise<void>;
}
