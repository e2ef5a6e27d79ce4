import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { parseAllowList, PrivateAddressGuard } from "../../adapters/http_client/private_address_guard.ts";

const strict = new PrivateAddressGuard(parseAllowList("").list);

const PRIVATE = [
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "10.0.0.1",
  "100.64.0.1",
  "100.127.255.255",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::ffff:7f00:1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "2001:0:1::",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fe80::1%eth0",
  "ff02::1",
  "",
  "localhost",
];
const PUBLIC = [
  "8.8.8.8",
  "100.128.0.1",
  "172.32.0.1",
  "192.169.0.1",
  "1.1.1.1",
  "2606:4700::1111",
  "2a00:1450::1",
];

Deno.test("PrivateAddressGuard refuses what only this machine or network can reach", () => {
  for (const address of PRIVATE) strictEqual(strict.allows("host.test", 80, address), false, address);
  for (const address of PUBLIC) strictEqual(strict.allows("host.test", 80, address), true, address);
});

Deno.test("parseAllowList opens networks, addresses, hosts and hosts at one port, and no more", () => {
  const { list, faults } = parseAllowList(
    " 10.1.0.0/16, 192.168.5.5,fd00::/8, Gateway.LAN, gsm:8080,127.0.0.1:9,[::1]:9 ",
  );
  deepStrictEqual(faults, []);
  const guard = new PrivateAddressGuard(list);
  const cases: readonly [host: string, port: number, address: string, allowed: boolean][] = [
    ["a.test", 80, "10.1.2.3", true],
    ["a.test", 80, "10.2.0.1", false],
    ["a.test", 80, "192.168.5.5", true],
    ["a.test", 80, "192.168.5.6", false],
    ["a.test", 80, "fd12::1", true],
    ["gateway.lan", 80, "192.168.9.9", true],
    ["other.lan", 80, "192.168.9.9", false],
    ["gsm", 8080, "10.9.9.9", true],
    ["gsm", 80, "10.9.9.9", false],
    ["127.0.0.1", 9, "127.0.0.1", true],
    ["127.0.0.1", 10, "127.0.0.1", false],
    ["::1", 9, "::1", true],
  ];
  for (const [host, port, address, allowed] of cases) {
    strictEqual(guard.allows(host, port, address), allowed, `${host}:${port} ${address}`);
  }
});

Deno.test("parseAllowList names every entry that it cannot read", () => {
  const { faults } = parseAllowList("10.0.0.0/33, http://x, a b, ::1/129, good.host");
  deepStrictEqual(faults.map((fault) => fault.split(": ")[0]), ["10.0.0.0/33", "http://x", "a b", "::1/129"]);
});

Deno.test("PrivateAddressGuard checks what a name resolves to", async () => {
  const resolve = (guard: PrivateAddressGuard) =>
    new Promise<string>((done) =>
      guard.lookup(80)(
        "localhost",
        { all: true },
        (error, addresses) =>
          done(error?.name ?? (addresses as LookupAddress[]).map(({ address }) => address).join()),
      )
    );
  strictEqual(await resolve(strict), "PrivateAddressError");
  ok((await resolve(new PrivateAddressGuard(parseAllowList("127.0.0.0/8,::1").list))).includes("127.0.0.1"));
});
