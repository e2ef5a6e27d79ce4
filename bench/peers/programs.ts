/**
 * What the peers need on this machine, and how to get it.
 *
 * @module
 */
import { join } from "node:path";

const HERE = new URL(".", import.meta.url).pathname;

/** The Node.js package of the pipeline; it has an installation of its own, made when it is first used. */
export const PIPELINE_FOLDER = join(HERE, "pipeline");

/** How what is missing is installed. */
const INSTALL: Readonly<Record<string, string>> = {
  "redis-server": "apt-get install redis-server",
  bearerbox: "apt-get install kannel",
  smsbox: "apt-get install kannel",
  node: "Node.js 20 or newer",
  npm: "npm, which comes with Node.js",
};

/** Why these programs cannot be run, in plain words; null when all are on the PATH. */
export function missing(programs: readonly string[], path = Deno.env.get("PATH") ?? ""): string | null {
  const absent = programs.filter((program) =>
    !path.split(":").some((folder) => isFile(join(folder, program)))
  );
  if (absent.length === 0) return null;
  return `needs ${absent.map((program) => `${program} (${INSTALL[program]})`).join(", ")}`;
}

/**
 * Installs the pipeline's packages as its lock file says, unless they are there.
 *
 * @returns why it cannot be done, e.g. without a network; null when they are there
 */
export async function ensurePipeline(say: (text: string) => void): Promise<string | null> {
  const installed = modified(join(PIPELINE_FOLDER, "node_modules", ".package-lock.json"));
  if (installed !== null && installed >= modified(join(PIPELINE_FOLDER, "package-lock.json"))!) return null;
  say("installing the pipeline's packages with npm");
  const { success, stderr } = await new Deno.Command("npm", {
    // Not `npm ci`: it refuses a lock file without the optional packages of machines of another kind.
    args: ["install", "--no-save", "--no-audit", "--no-fund", "--prefer-offline"],
    cwd: PIPELINE_FOLDER,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return null;
  const words = new TextDecoder().decode(stderr).split("\n").filter((line) => /^npm error [^A-Z]/.test(line));
  return `npm install failed: ${words.slice(0, 4).join(" ").replaceAll("npm error", "").trim()}`;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function modified(path: string): number | null {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? null;
  } catch {
    return null;
  }
}
