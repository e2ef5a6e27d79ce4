/**
 * Takes one file out of a Debian package, without installing anything.
 *
 * apt runs on a configuration of its own in a temporary folder: own lists, cache, status and source, so that
 * the machine's are neither read nor changed and no root is needed. From the machine come its mirror, its
 * Debian keys, and its proxy and authentication settings. apt checks the archive's signature and the
 * package's checksum; sources without a valid signature are refused.
 *
 * @module
 */
import { join } from "node:path";
import type { DebianMirror } from "./debian_mirror.ts";
import { EmbeddedStartError } from "./start_error.ts";

export interface AptFetchOptions {
  readonly mirror: DebianMirror;
  /** E.g. "trixie". */
  readonly suite: string;
  readonly packageName: string;
  /** Path inside the package, e.g. "usr/sbin/nats-server". */
  readonly path: string;
  /** Where to put the file. */
  readonly destination: string;
  readonly signal?: AbortSignal | undefined;
}

const UPDATE_MS_MAX = 180_000;
const DOWNLOAD_MS_MAX = 180_000;

function aptConfig(folder: string): string {
  return `
Dir::State "${folder}/state";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
Dir::Etc::sourcelist "${folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
#clear Acquire::Languages;
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::GzipIndexes "false";
Acquire::Retries "1";
Acquire::http::Timeout "15";
Acquire::https::Timeout "15";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
APT::Update::Error-Mode "any";
// The machine's hooks clean and index the machine's own lists: nothing of that here.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`;
}

/** Whether this machine lacks what {@link aptFetchFile} needs. */
export async function aptMissing(): Promise<boolean> {
  for (const command of ["apt-get", "dpkg-deb"]) {
    const options: Deno.CommandOptions = {
      args: ["--version"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    };
    const there = await new Deno.Command(command, options).output().then(
      (output) => output.success,
      () => false,
    );
    if (!there) return true;
  }
  return false;
}

/** Runs a command to its end. @throws EmbeddedStartError with its last words when it fails */
async function run(command: string, args: string[], cwd: string, msMax: number, signal?: AbortSignal) {
  const timeout = AbortSignal.timeout(msMax);
  const output = await new Deno.Command(command, {
    args,
    cwd,
    env: { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
  }).output();
  signal?.throwIfAborted();
  if (timeout.aborted) {
    throw new EmbeddedStartError(`${command} ${args.at(-1)} took more than ${msMax / 1000} s`);
  }
  if (output.success) return;
  const lines = new TextDecoder().decode(output.stderr).split("\n");
  const fault = lines.find((line) => /^E:|error/i.test(line)) ?? `exit code ${output.code}`;
  throw new EmbeddedStartError(`${command} ${args.at(-1)}: ${fault.trim().slice(0, 300)}`);
}

/**
 * Fetches the package and puts the file to `destination`, in one step, executable by all.
 *
 * @throws EmbeddedStartError when apt or the mirror cannot serve; the reason is a part of a sentence
 */
export async function aptFetchFile(options: AptFetchOptions): Promise<void> {
  const { mirror, suite, packageName, path, destination, signal } = options;
  const folder = await Deno.makeTempDir({ prefix: "patchbay-apt-" });
  try {
    // Started by root, apt downloads as a user of its own, which has to get in here.
    await Deno.chmod(folder, 0o755);
    for (const sub of ["state/lists/partial", "cache/archives/partial", "package"]) {
      await Deno.mkdir(join(folder, sub), { recursive: true });
    }
    let keyring = mirror.signedBy;
    if (keyring.includes("BEGIN PGP")) {
      keyring = join(folder, "archive.asc");
      await Deno.writeTextFile(keyring, mirror.signedBy + "\n");
    }
    await Deno.writeTextFile(join(folder, "status"), "");
    await Deno.writeTextFile(join(folder, "apt.conf"), aptConfig(folder));
    await Deno.writeTextFile(
      join(folder, "sources.list"),
      `deb [signed-by=${keyring} lang=none target=Packages] ${mirror.uri} ${suite} main\n`,
    );
    const apt = (args: string[], msMax: number) =>
      run("apt-get", ["-c", join(folder, "apt.conf"), "-q", ...args], join(folder, "package"), msMax, signal);
    await apt(["update"], UPDATE_MS_MAX);
    await apt(["download", packageName], DOWNLOAD_MS_MAX);
    const deb = [...Deno.readDirSync(join(folder, "package"))].find((entry) => entry.name.endsWith(".deb"));
    if (deb === undefined) throw new EmbeddedStartError(`apt-get brought no package ${packageName}`);
    const unpacked = join(folder, "unpacked");
    await run("dpkg-deb", ["-x", join(folder, "package", deb.name), unpacked], folder, 60_000, signal);
    // Copied beside its destination first: the temporary folder can be on another disk.
    const beside = `${destination}.${Deno.pid}.part`;
    await Deno.copyFile(join(unpacked, path), beside);
    await Deno.chmod(beside, 0o755);
    await Deno.rename(beside, destination);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}
