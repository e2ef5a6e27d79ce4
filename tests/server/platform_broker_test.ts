import { deepEqual, equal, match, rejects } from "node:assert/strict";
import type { Embedded } from "../../adapters/embedded/embedded.ts";
import { Names } from "../../adapters/nats/topology.ts";
import { isBrokerExposed, openPlatformBroker } from "../../adapters/server/platform_broker.ts";
import type { Directory } from "../../core/directory.ts";
import type { BrokerGuest } from "../../core/ports/broker_guests.ts";
import { DIRECTORY, PLATFORM } from "../routing/directory.ts";

const KEY = `U${"A".repeat(55)}`;
const NOWHERE = {
  natsServers: null,
  natsListen: null,
  natsTlsCertFile: null,
  publicUrl: "https://texts.example",
};

class Fixture {
  directory: Directory = DIRECTORY;
  readonly told: string[][] = [];
  fault: Error | null = null;
  changed = () => {};

  open(config: Partial<Parameters<typeof openPlatformBroker>[0]["config"]> = {}) {
    const embedded = {
      natsUrl: "nats://127.0.0.1:17022",
      setGuests: (guests: readonly BrokerGuest[]) => {
        if (this.fault !== null) return Promise.reject(this.fault);
        this.told.push(guests.map(({ account, publicKey }) => `${account} ${publicKey}`));
        return Promise.resolve();
      },
    } as Partial<Embedded> as Embedded;
    return openPlatformBroker({
      parts: { embedded, names: new Names("patchbay") },
      config: { ...NOWHERE, ...config },
      directory: {
        current: () => this.directory,
        onChange: (listener) => {
          this.changed = () => listener(this.directory);
          return () => this.changed = () => {};
        },
      },
      onError: () => {},
    });
  }

  set(natsKey: string | null, enabled = true): void {
    const platform = { ...DIRECTORY.platforms.get(PLATFORM)!, natsKey, enabled };
    const platforms = new Map([[PLATFORM, platform]]);
    this.directory = { ...DIRECTORY, version: this.directory.version + 1, platforms };
    this.changed();
  }
}

Deno.test("OP-4: the embedded broker lets in whom the directory names, and nobody who is switched off", async () => {
  const fixture = new Fixture();
  await using broker = fixture.open();
  for (const [key, enabled] of [[KEY, true], [KEY, false], [null, true]] as const) {
    fixture.set(key, enabled);
    await broker.settled();
  }
  await broker.settled();
  const [last] = fixture.told.slice(-2);
  deepEqual(fixture.told.filter((guests) => guests.length > 0), [[`${PLATFORM} ${KEY}`]]);
  deepEqual(last, [`${PLATFORM} ${KEY}`], "told once of what stays the same");
});

Deno.test("OP-4: whoever waits learns that the broker did not take it; it is tried again", async () => {
  const fixture = new Fixture();
  await using broker = fixture.open();
  fixture.fault = new Error("away");
  fixture.set(KEY);
  await rejects(broker.settled(), /away/);
  fixture.fault = null;
  await broker.settled();
  deepEqual(fixture.told.at(-1), [`${PLATFORM} ${KEY}`]);
});

Deno.test("OP-4: platforms are given an address that they can reach", async () => {
  const servers = async (config: Parameters<Fixture["open"]>[0]) => {
    await using broker = new Fixture().open(config);
    return broker.access(PLATFORM).servers;
  };
  deepEqual(await servers({}), ["nats://127.0.0.1:17022"]);
  const everywhere = { host: "0.0.0.0", port: 17022 };
  deepEqual(await servers({ natsListen: everywhere, natsTlsCertFile: "cert.pem" }), [
    "tls://texts.example:17022",
  ]);
  equal(isBrokerExposed(NOWHERE), false);
  equal(isBrokerExposed({ ...NOWHERE, natsListen: everywhere }), true);
  equal(isBrokerExposed({ ...NOWHERE, natsListen: everywhere, natsTlsCertFile: "cert.pem" }), false);
});

Deno.test("OP-4: of a broker that is not our own it says what its operator has to grant", async () => {
  await using broker = new Fixture().open({ natsServers: ["nats.internal:4222"] });
  equal(broker.newUser, null);
  const grant = broker.grant(PLATFORM);
  match(
    grant,
    new RegExp(`\\{ service: "patchbay.platform.${PLATFORM}.command", accounts: \\["${PLATFORM}"\\] \\}`),
  );
  match(
    grant,
    /\$JS\.API\.CONSUMER\.MSG\.NEXT\.patchbay_EVENTS\.feed_\S+", accounts: .*response_type: stream/,
  );
});
