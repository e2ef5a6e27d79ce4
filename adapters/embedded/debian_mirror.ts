/**
 * Where this machine gets Debian's packages from, read from apt's own settings in both of their formats.
 * Pure but for {@link readAptSources}.
 *
 * @module
 */
import { join } from "node:path";

/** One line of `sources.list`, or one stanza of a `.sources` file. */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** A keyring's path, or the key itself (armored, several lines). */
  readonly signedBy?: string;
}

export interface DebianMirror {
  readonly uri: string;
  readonly signedBy: string;
}

export const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Suites of Debian's main archive. Security and other archives have suites of other names. */
const SUITES = /^(sid|unstable|testing|(old)*stable|buster|bullseye|bookworm|trixie|forky|duke)$/;

/** The sources of a one-line-style file: `deb [option=value …] URI SUITE COMPONENT…`. */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line.replace(/\s+#.*$/, ""));
    if (match === null) continue;
    const [, options = "", uri, suite, components] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    sources.push({
      uris: [uri!],
      suites: [suite!],
      components: words(components ?? ""),
      ...(signedBy === undefined ? {} : { signedBy }),
    });
  }
  return sources;
}

/** The enabled binary sources of a deb822-style file. */
export function parseDeb822(text: string): AptSource[] {
  const sources: AptSource[] = [];
  const withoutComments = text.replace(/\r/g, "").split("\n").filter((line) => !line.startsWith("#")).join(
    "\n",
  );
  for (const stanza of withoutComments.split(/\n[ \t]*\n/)) {
    const fields = stanzaFields(stanza);
    const enabled = !/^(no|false|0|off|disable)$/i.test(fields.get("enabled") ?? "yes");
    if (!enabled || !words(fields.get("types") ?? "").includes("deb")) continue;
    const signedBy = fields.get("signed-by");
    sources.push({
      uris: words(fields.get("uris") ?? ""),
      suites: words(fields.get("suites") ?? ""),
      components: words(fields.get("components") ?? ""),
      ...(signedBy === undefined || signedBy === "" ? {} : { signedBy }),
    });
  }
  return sources;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function stanzaFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let name = "";
  for (const line of stanza.split("\n")) {
    if (/^[ \t]/.test(line)) {
      // A continuation; a lone "." stands for an empty line.
      const more = line.trim() === "." ? "" : line.trim();
      fields.set(name, `${fields.get(name) ?? ""}\n${more}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    name = line.slice(0, colon).trim().toLowerCase();
    fields.set(name, line.slice(colon + 1).trim());
  }
  for (const [key, value] of fields) fields.set(key, value.trim());
  return fields;
}

/**
 * The mirrors of Debian's main archive among `sources`, the likeliest first. Sources signed by somebody
 * else's key are not Debian's, whatever their suite is called.
 */
export function debianMirrors(sources: readonly AptSource[]): DebianMirror[] {
  const mirrors = new Map<string, DebianMirror>();
  for (const { uris, suites, components, signedBy = DEBIAN_KEYRING } of sources) {
    if (!components.includes("main") || !suites.some((suite) => SUITES.test(suite))) continue;
    const inline = signedBy.includes("BEGIN PGP");
    if (!inline && !/debian-archive|debian-keyring/.test(signedBy)) continue;
    for (const uri of uris) {
      if (!uri.startsWith("cdrom:") && !mirrors.has(uri)) mirrors.set(uri, { uri, signedBy });
    }
  }
  return [...mirrors.values()];
}

/** What apt is set to on this machine; files that cannot be read are left out. */
export function readAptSources(etcApt = "/etc/apt"): AptSource[] {
  const sources: AptSource[] = [];
  const add = (path: string, parse: (text: string) => AptSource[]) => {
    try {
      sources.push(...parse(Deno.readTextFileSync(path)));
    } catch {
      // Not there, or not for us to read.
    }
  };
  add(join(etcApt, "sources.list"), parseSourcesList);
  const parts = join(etcApt, "sources.list.d");
  let names: string[] = [];
  try {
    names = [...Deno.readDirSync(parts)].map((entry) => entry.name).sort();
  } catch {
    // No such folder.
  }
  for (const name of names) {
    if (name.endsWith(".list")) add(join(parts, name), parseSourcesList);
    if (name.endsWith(".sources")) add(join(parts, name), parseDeb822);
  }
  return sources;
}
