/**
 * A message as Vonage's Messages API takes it.
 *
 * @module
 */
import type { Media } from "../../core/message.ts";
import type { OutgoingMessage } from "../../core/ports/provider.ts";

const TTL_MIN_SECONDS = 20;
const TTL_MAX_SECONDS = 604_800;

function withoutPlus(address: string): string {
  return address.startsWith("+") ? address.slice(1) : address;
}

/** Vonage's word for a kind of media, by its type, else by the end of its address. */
function kindOf({ url, contentType = "" }: Media): string {
  const [main] = contentType.toLowerCase().split("/");
  if (/vcard/i.test(contentType)) return "vcard";
  if (main === "image" || main === "video" || main === "audio") return main;
  const ending = /\.([a-z0-9]{2,4})(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase() ?? "";
  if (/^(?:jpe?g|png|gif|webp)$/.test(ending)) return "image";
  if (/^(?:mp4|3gpp?|mov|webm)$/.test(ending)) return "video";
  if (/^(?:mp3|m4a|aac|amr|ogg|wav)$/.test(ending)) return "audio";
  return ending === "vcf" ? "vcard" : "file";
}

/** One thing with its caption, or a list of things of which the first has it. */
function mediaFields(message: OutgoingMessage): Record<string, unknown> {
  const caption = message.text === "" ? {} : { caption: message.text.toWellFormed() };
  const [first, ...others] = message.media.map((media) => ({ kind: kindOf(media), url: media.url }));
  if (others.length === 0) {
    return { message_type: first!.kind, [first!.kind]: { url: first!.url, ...caption } };
  }
  const content = message.media.map((media, i) => ({
    type: kindOf(media),
    url: media.url,
    ...(i === 0 && caption),
  }));
  return { message_type: "content", content };
}

/** The body of the call that sends `message`. */
export function vonageMessage(message: OutgoingMessage): Record<string, unknown> {
  const ttl = message.validitySeconds;
  return {
    channel: message.media.length === 0 ? "sms" : "mms",
    from: withoutPlus(message.from),
    to: withoutPlus(message.to),
    ...(message.media.length > 0 ? mediaFields(message) : {
      message_type: "text",
      text: message.text.toWellFormed(),
      sms: { encoding_type: message.encoding === "ucs2" ? "unicode" : "text" },
    }),
    client_ref: message.id,
    ...(message.statusUrl !== "" && { webhook_url: message.statusUrl, webhook_version: "v1" }),
    ...(ttl !== undefined && { ttl: Math.min(Math.max(Math.floor(ttl), TTL_MIN_SECONDS), TTL_MAX_SECONDS) }),
  };
}
