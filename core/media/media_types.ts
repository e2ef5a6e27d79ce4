/**
 * Media types: what a file is, and which of them a channel takes.
 *
 * @module
 */

/** Types shown in a page by themselves: pictures that browsers decode and that cannot carry a script. */
const INLINE: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
/** Texts have no signature to be known by; of what a sender calls his, these are believed. */
const TEXTS: ReadonlySet<string> = new Set(["text/vcard", "text/x-vcard", "text/calendar", "text/csv"]);

const EXTENSIONS: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "text/plain": "txt",
  "text/vcard": "vcf",
  "text/x-vcard": "vcf",
  "text/calendar": "ics",
  "audio/mpeg": "mp3",
  "video/quicktime": "mov",
  "application/octet-stream": "bin",
};

/** Whether a channel whose setting is `allowed` takes `type`. Empty: all; `image/*`: all pictures. */
export function isTypeAllowed(allowed: readonly string[], type: string): boolean {
  if (allowed.length === 0) return true;
  const bare = bareType(type);
  return allowed.some((entry) => {
    const wanted = bareType(entry);
    return wanted === bare || (wanted.endsWith("/*") && bare.startsWith(wanted.slice(0, -1)));
  });
}

/** What is allowed by both of two lists, neither of them empty; nothing where they have nothing in common. */
export function commonTypes(a: readonly string[], b: readonly string[]): string[] {
  const common = a.flatMap((one) =>
    b.flatMap((other) =>
      isTypeAllowed([one], other) ? [bareType(other)] : isTypeAllowed([other], one) ? [bareType(one)] : []
    )
  );
  return [...new Set(common)];
}

/**
 * What a file is taken for. `sniffed`: by its first bytes, null when they say nothing; `declared`: as its sender
 * called it; `sample`: its first bytes. A name alone makes no picture of a file.
 */
export function typeOfFile(sniffed: string | null, declared: string | null, sample: Uint8Array): string {
  if (sniffed !== null) return bareType(sniffed);
  if (!isText(sample)) return "application/octet-stream";
  const type = bareType(declared ?? "");
  return TEXTS.has(type) ? type : "text/plain";
}

/** Whether a file of this type may be shown rather than saved. */
export function isShownInline(type: string): boolean {
  return INLINE.has(type);
}

/** How files of this type end, without the dot. */
export function extensionOf(type: string): string {
  const [, name = ""] = type.split("/");
  return EXTENSIONS[type] ?? (/^[a-z0-9]{1,5}$/.test(name) ? name : "bin");
}

function bareType(type: string): string {
  return type.split(";", 1)[0]!.trim().toLowerCase();
}

/** Whether the sample is UTF-8 without control characters; its last character may be cut. */
function isText(sample: Uint8Array): boolean {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(sample, { stream: true });
    // deno-lint-ignore no-control-regex
    return !/[\x00-\x08\x0e-\x1f]/.test(text);
  } catch {
    return false;
  }
}
