/**
 * Addresses as people and providers write them, brought into the one form the core holds: E.164 with "+",
 * a short code, or an alphanumeric sender ID.
 *
 * @module
 */
// The small metadata: it knows every country's prefixes and lengths, which is what bringing a number into
// E.164 needs. Telling a mobile from a landline would need the large one.
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js/min";

export interface Address {
  readonly kind: "e164" | "short-code" | "alphanumeric";
  readonly value: string;
}

export interface ParseAddressOptions {
  /** ISO 3166 country of numbers written the national way, e.g. `UY`. */
  readonly defaultCountry?: string;
}

/** Longest text that is looked at, UTF-16 units. */
const TEXT_MAX = 64;
const CACHE_MAX = 4_096;

const SHORT_CODE = /^\d{3,8}$/;
const ALPHANUMERIC = /^(?=.*[A-Za-z])[A-Za-z0-9 _.&+-]{1,11}$/;

/** What the slow way found, by country and text; the oldest goes first. */
const cache = new Map<string, Address | null>();

/** Whether `text` is E.164 as the core holds it: `+`, then 7 to 15 digits, the first not 0. */
export function isE164(text: string): boolean {
  const length = text.length;
  if (length < 8 || length > 16 || text.charCodeAt(0) !== 0x2b || text.charCodeAt(1) === 0x30) return false;
  for (let i = 1; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

/** Whether `country` can be a {@link ParseAddressOptions.defaultCountry}. */
export function isKnownCountry(country: string): boolean {
  return isSupportedCountry(country);
}

function e164(text: string, country: CountryCode | undefined, check: "possible" | "valid"): Address | null {
  const parsed = parsePhoneNumberFromString(text, country);
  if (parsed === undefined || parsed.ext !== undefined) return null;
  if (!(check === "valid" ? parsed.isValid() : parsed.isPossible())) return null;
  return isE164(parsed.number) ? { kind: "e164", value: parsed.number } : null;
}

/**
 * With a country, seven or eight digits are its subscriber number if it has such numbers, else a short code.
 * More digits are a national number first; what the country does not know is taken as an international
 * number that lost its "+".
 */
function parseSlowly(text: string, defaultCountry: string | undefined): Address | null {
  const country = defaultCountry !== undefined && isSupportedCountry(defaultCountry)
    ? defaultCountry
    : undefined;
  if (text.startsWith("+")) return e164(text, undefined, "possible");
  if (SHORT_CODE.test(text)) {
    const national = country !== undefined && text.length >= 7 ? e164(text, country, "valid") : null;
    return national ?? { kind: "short-code", value: text };
  }
  if (ALPHANUMERIC.test(text)) return { kind: "alphanumeric", value: text };
  // A word that is too long for a sender ID must not be dialled as the letters on a keypad.
  if (/[A-Za-z]/.test(text)) return null;
  const national = country === undefined ? null : e164(text, country, "valid");
  if (national !== null) return national;
  const digits = text.replace(/[\s().\/-]/g, "");
  if (!/^\d+$/.test(digits)) return null;
  return e164(`+${digits.startsWith("00") ? digits.slice(2) : digits}`, undefined, "possible");
}

/**
 * Reads an address, or returns null where `text` is none. Numbers in E.164 already are not looked up: whether
 * they exist is for the carrier to say.
 *
 * @example
 * ```ts
 * import { parseAddress } from "./phone_number.ts";
 *
 * parseAddress("099 123 456", { defaultCountry: "UY" }); // { kind: "e164", value: "+59899123456" }
 * ```
 */
export function parseAddress(text: string, options?: ParseAddressOptions): Address | null {
  if (isE164(text)) return { kind: "e164", value: text };
  if (text.length > TEXT_MAX) return null;
  const country = options?.defaultCountry;
  const key = country === undefined ? text : `${country}|${text}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const address = parseSlowly(text.trim(), country);
  if (cache.size >= CACHE_MAX) {
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      break;
    }
  }
  cache.set(key, address);
  return address;
}

/**
 * The digits people dial inside the number's own country, its trunk prefix included: `+59899123456` is
 * `099123456`. What is not E.164, or of no known country, comes back as its digits.
 */
export function nationalDigits(number: string): string {
  const parsed = isE164(number) ? parsePhoneNumberFromString(number) : undefined;
  return (parsed?.formatNational() ?? number).replace(/\D/g, "");
}

/** A number's country code and the rest of it, without trunk prefix; null for what is not E.164 of a known country. */
export function splitNumber(
  number: string,
): { readonly countryCode: string; readonly national: string } | null {
  const parsed = isE164(number) ? parsePhoneNumberFromString(number) : undefined;
  return parsed === undefined
    ? null
    : { countryCode: parsed.countryCallingCode, national: parsed.nationalNumber };
}

/**
 * Whether a number is one of the United States. Numbers of Canada, of the Caribbean and of the US territories with codes
 * of their own (Puerto Rico, Guam and others), which begin with +1 as well, are not; nor is what is of no known country.
 */
export function isUnitedStates(number: string): boolean {
  return isE164(number) && parsePhoneNumberFromString(number)?.country === "US";
}

/** A number as logs may have it: `***` and its last four characters, the last two of a short one. */
export function maskNumber(text: string): string {
  if (text.length < 6) return "***";
  return `***${text.slice(text.length >= 10 ? -4 : -2)}`;
}
