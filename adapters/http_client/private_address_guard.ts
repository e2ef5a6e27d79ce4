/**
 * Keeps calls that a setting makes us send off the inside of the network: an administrator of a provider's
 * channel, or whoever runs a platform, must not reach what only this machine can.
 *
 * The address is checked where the connection is made, on what the name resolved to, so that a name which
 * answers differently the second time gains nothing.
 *
 * @module
 */
import { lookup, type LookupAddress } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** IANA's special-purpose registries, and what tunnels to IPv4 (mapped, compatible, NAT64, 6to4, Teredo). */
const PRIVATE_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];
const PRIVATE_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ["::", 96],
  ["::ffff:0:0", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

type Family = "ipv4" | "ipv6";

/** The family of an address without zone, or null if it is no address. */
function familyOf(address: string): Family | null {
  const version = isIP(address);
  return version === 4 ? "ipv4" : version === 6 ? "ipv6" : null;
}

/**
 * A list per family: one for both takes an IPv4 address for a mapped one, and a rule for all mapped ones
 * would then hold all of IPv4.
 */
class Networks {
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() };

  add(network: string, prefix: number, family: Family): void {
    this.#lists[family].addSubnet(network, prefix, family);
  }

  has(address: string, family: Family): boolean {
    return this.#lists[family].check(address, family);
  }
}

const PRIVATE = new Networks();
for (const [network, prefix] of PRIVATE_IPV4) PRIVATE.add(network, prefix, "ipv4");
for (const [network, prefix] of PRIVATE_IPV6) PRIVATE.add(network, prefix, "ipv6");

/** What may be called although it is private. */
export interface AllowList {
  readonly networks: Networks;
  /** `host` or `host:port`, lower case. */
  readonly hosts: ReadonlySet<string>;
}

/**
 * Reads `PATCHBAY_ALLOW_PRIVATE`: addresses, networks (`10.1.0.0/16`) and hosts (`gateway.lan`,
 * `gateway.lan:8080`, `[::1]:8080`), separated by commas. `faults` has a sentence for each entry that is none.
 */
export function parseAllowList(
  text: string,
): { readonly list: AllowList; readonly faults: readonly string[] } {
  const networks = new Networks();
  const hosts = new Set<string>();
  const faults: string[] = [];
  for (
    const entry of text.split(",").map((part) => part.trim().toLowerCase()).filter((part) => part !== "")
  ) {
    const [, network, prefix] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
    const family = network === undefined ? null : familyOf(network);
    if (network !== undefined && family !== null) {
      const bits = family === "ipv4" ? 32 : 128;
      if (prefix !== undefined && Number(prefix) > bits) {
        faults.push(
          `${entry}: a prefix has at most ${bits} bits`,
        );
      } else networks.add(network, prefix === undefined ? bits : Number(prefix), family);
      continue;
    }
    const host = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?))(?::(\d{1,5}))?$/.exec(
      entry,
    );
    if (host === null) faults.push(`${entry}: is no address, network or host`);
    else hosts.add(`${host[1] ?? host[2]}${host[3] === undefined ? "" : `:${host[3]}`}`);
  }
  return { list: { networks, hosts }, faults };
}

/** Why an address was refused. */
export class PrivateAddressError extends Error {
  override readonly name = "PrivateAddressError";
}

export class PrivateAddressGuard {
  readonly #allowed: AllowList;

  constructor(allowed: AllowList) {
    this.#allowed = allowed;
  }

  /** Whether `host` at `port` may be called at `address`, an IP address that it has or is. */
  allows(host: string, port: number, address: string): boolean {
    const name = host.toLowerCase();
    if (this.#allowed.hosts.has(name) || this.#allowed.hosts.has(`${name}:${port}`)) return true;
    const family = familyOf(address);
    // An address with a zone (fe80::1%eth0) is link-local by its nature; anything else that is no address is not called.
    if (family === null || address.includes("%")) return false;
    return !PRIVATE.has(address, family) || this.#allowed.networks.has(address, family);
  }

  /** Throws {@link PrivateAddressError} if `host` is an address that may not be called; names are for {@link lookup}. */
  checkLiteral(host: string, port: number): void {
    if (isIP(host) !== 0 && !this.allows(host, port, host)) throw refusal(host);
  }

  /** Resolves names for connections to `port`, to such addresses only that may be called. */
  lookup(port: number): LookupFunction {
    return (host, options, callback) => {
      lookup(host, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
        if (error !== null) return callback(error, "", 0);
        const usable = addresses.filter(({ address }) => this.allows(host, port, address));
        const first = usable[0];
        if (first === undefined) callback(refusal(host), "", 0);
        else if (options.all) callback(null, usable);
        else callback(null, first.address, first.family);
      });
    };
  }
}

function refusal(host: string): PrivateAddressError {
  return new PrivateAddressError(
    `${host} is on a private network, which PATCHBAY_ALLOW_PRIVATE does not allow`,
  );
}
