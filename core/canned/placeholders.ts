/**
 * Canned texts: written once by an administrator, with `{{placeholders}}` for what differs each time.
 *
 * @module
 */

/** What the system knows by itself. */
export const KNOWN_PLACEHOLDERS = ["contact.number", "agent.name", "agent.extension", "queue.name"] as const;
export type KnownPlaceholder = (typeof KNOWN_PLACEHOLDERS)[number];

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/gu;
/** What whoever sends it fills in; without a dot, which the known ones have. */
const OWN_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,39}$/;

const isKnown = (name: string): name is KnownPlaceholder =>
  (KNOWN_PLACEHOLDERS as readonly string[]).includes(name);

/** Why `text` cannot be a canned text; undefined: it can. */
export function placeholderFault(text: string): string | undefined {
  for (const [whole, name] of text.matchAll(PLACEHOLDER)) {
    if (isKnown(name!) || OWN_NAME.test(name!)) continue;
    return `${whole} is neither one of ${
      KNOWN_PLACEHOLDERS.join(", ")
    } nor a name of letters, digits, _ and -`;
  }
  const rest = text.replaceAll(PLACEHOLDER, "");
  return rest.includes("{{") || rest.includes("}}") ? "has {{ or }} without the other" : undefined;
}

/** Names that whoever sends it has to give a value for, each once. */
export function ownPlaceholders(text: string): string[] {
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!);
  return [...new Set(names.filter((name) => !isKnown(name)))];
}

/** What came of filling a text in. */
export type Filled =
  | { readonly kind: "filled"; readonly text: string }
  /** For these nothing is known and no value was given. */
  | { readonly kind: "missing"; readonly names: readonly string[] }
  /** Values that the text has no place for. */
  | { readonly kind: "unknown"; readonly names: readonly string[] };

/** `text` with everything filled in. Values are not looked through for placeholders. */
export function fillIn(
  text: string,
  known: Readonly<Partial<Record<KnownPlaceholder, string>>>,
  own: Readonly<Record<string, string>>,
): Filled {
  const asked = ownPlaceholders(text);
  const unknown = Object.keys(own).filter((name) => !asked.includes(name));
  if (unknown.length > 0) return { kind: "unknown", names: unknown };
  const missing = new Set<string>();
  const filled = text.replaceAll(PLACEHOLDER, (_, name: string) => {
    const value = isKnown(name) ? known[name] : Object.hasOwn(own, name) ? own[name] : undefined;
    if (value === undefined) missing.add(name);
    return value ?? "";
  });
  return missing.size > 0 ? { kind: "missing", names: [...missing] } : { kind: "filled", text: filled };
}
