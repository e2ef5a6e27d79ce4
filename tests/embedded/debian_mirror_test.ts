import { deepEqual, equal } from "node:assert/strict";
import {
  DEBIAN_KEYRING,
  debianMirrors,
  parseDeb822,
  parseSourcesList,
  readAptSources,
} from "../../adapters/embedded/debian_mirror.ts";

Deno.test("parseSourcesList reads one-line sources, with and without options", () => {
  const sources = parseSourcesList(`
# deb http://commented.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # ours
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/other.gpg] https://other.example/apt stable main
deb [ signed-by=/usr/share/keyrings/debian-archive-keyring.gpg ]  http://m.example/debian  trixie  main
`);
  deepEqual(sources, [
    { uris: ["http://mirror.example/debian"], suites: ["bookworm"], components: ["main", "contrib"] },
    {
      uris: ["https://other.example/apt"],
      suites: ["stable"],
      components: ["main"],
      signedBy: "/etc/apt/keyrings/other.gpg",
    },
    { uris: ["http://m.example/debian"], suites: ["trixie"], components: ["main"], signedBy: DEBIAN_KEYRING },
  ]);
});

Deno.test("parseDeb822 reads stanzas, leaves out disabled and source-only ones, and keeps an inline key", () => {
  const sources = parseDeb822(`Types: deb deb-src
# a comment inside
URIs: http://mirror.example/debian
 http://second.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm
Components: main

types: deb
uris: http://inline.example/debian
suites: trixie
components: main
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY
 -----END PGP PUBLIC KEY BLOCK-----
`);
  deepEqual(sources.map((source) => source.uris), [
    ["http://mirror.example/debian", "http://second.example/debian"],
    ["http://inline.example/debian"],
  ]);
  deepEqual(sources[0]!.suites, ["bookworm", "bookworm-updates"]);
  equal(
    sources[1]!.signedBy,
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEY\n-----END PGP PUBLIC KEY BLOCK-----",
  );
});

Deno.test("debianMirrors takes the main archive only: no security archive, no strangers, no disc", () => {
  const mirrors = debianMirrors([
    ...parseSourcesList(`deb cdrom:[Debian 12]/ bookworm main
deb https://tools.example/apt tool-bookworm main
deb [signed-by=/usr/share/keyrings/stranger.gpg] https://stranger.example/apt stable main
deb http://security.example/debian-security bookworm-security main
deb http://mirror.example/debian bookworm contrib
deb http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main`),
    ...parseDeb822(
      "Types: deb\nURIs: mirror+file:/etc/apt/mirrors/debian.list\nSuites: bookworm\nComponents: main\n",
    ),
  ]);
  deepEqual(mirrors, [
    { uri: "http://mirror.example/debian", signedBy: DEBIAN_KEYRING },
    { uri: "mirror+file:/etc/apt/mirrors/debian.list", signedBy: DEBIAN_KEYRING },
  ]);
});

Deno.test("readAptSources reads both formats of a machine and survives what is missing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    deepEqual(readAptSources(folder), []);
    await Deno.mkdir(`${folder}/sources.list.d`);
    await Deno.writeTextFile(`${folder}/sources.list`, "deb http://a.example/debian sid main\n");
    await Deno.writeTextFile(`${folder}/sources.list.d/b.list`, "deb http://b.example/debian sid main\n");
    await Deno.writeTextFile(
      `${folder}/sources.list.d/c.sources`,
      "Types: deb\nURIs: http://c.example/debian\nSuites: sid\nComponents: main\n",
    );
    await Deno.writeTextFile(
      `${folder}/sources.list.d/d.list.save`,
      "deb http://d.example/debian sid main\n",
    );
    deepEqual(readAptSources(folder).flatMap((source) => source.uris), [
      "http://a.example/debian",
      "http://b.example/debian",
      "http://c.example/debian",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
