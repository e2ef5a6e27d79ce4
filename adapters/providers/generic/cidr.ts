/**
 * Ranges of addresses, `203.0.113.0/24` or `2001:db8::/32`.
 *
 * @module
 */
import { BlockList, isIP } from "node:net";

/** What is wrong with a range, or undefined. A single address is a range, too. */
export function cidrFault(text: string): string | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return "must be an address, or a range like 203.0.113.0/24";
  if (bits === undefined) return undefined;
  const most = version === 4 ? 32 : 128;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= most
    ? undefined
    : `must end with a number from 0 to ${most}`;
}

/** Ranges that {@link cidrFault} finds nothing wrong with. */
export function rangesOf(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = "", bits] = text.split("/");
    const family = isIP(address) === 4 ? "ipv4" : "ipv6";
    list.addSubnet(address, bits === undefined ? (family === "ipv4" ? 32 : 128) : Number(bits), family);
  }
  return list;
}

/** Whether `address` is in one of the ranges. IPv4 written as IPv6 counts as IPv4. */
export function isInRanges(ranges: BlockList, address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  const version = isIP(plain);
  return version !== 0 && ranges.check(plain, version === 4 ? "ipv4" : "ipv6");
}
