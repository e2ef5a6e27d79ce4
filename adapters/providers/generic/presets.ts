/**
 * The presets that come with the program: every file in `adapters/providers/presets`.
 *
 * @module
 */
import type { Provider } from "../../../core/ports/provider.ts";
import { readPreset } from "./preset.ts";

const FOLDER = new URL("../presets/", import.meta.url);

function readAll(): readonly Provider[] {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) => name.endsWith(".yaml"))
    .sort();
  return files.map((file) => {
    try {
      return readPreset(Deno.readTextFileSync(new URL(file, FOLDER)));
    } catch (error) {
      throw new Error(`adapters/providers/presets/${file}: ${(error as Error).message}`);
    }
  });
}

export const presets: readonly Provider[] = readAll();
