/**
 * What a text must be like to leave through a channel. Asked before a message is taken, by everything that
 * takes one, so that its author hears of it at once.
 *
 * @module
 */
import type { Channel, ChannelSettings } from "./channel.ts";
import type { FieldError } from "./fields.ts";
import { isTypeAllowed } from "./media/media_types.ts";
import type { Media } from "./message.ts";
import type { TextAnalysis } from "./segments.ts";
import { Pattern } from "./pattern.ts";
import { isWithin, PARTS_MAX, type TextPart, textParts, totalOf } from "./text_parts.ts";

export interface OutgoingContent {
  /** E.164, or however the conversation has it. */
  readonly to: string;
  readonly text: string;
  readonly media: readonly Media[];
}

export type OutgoingCheck =
  /** `analysis`: of what leaves, all parts together. */
  | { readonly kind: "fits"; readonly analysis: TextAnalysis }
  /** `invalid`: the author can mend it. `impossible`: this channel cannot do it. `disabled`: not now. */
  | { readonly kind: "invalid" | "impossible"; readonly errors: readonly FieldError[] }
  | { readonly kind: "disabled"; readonly detail: string };

/** Compiled once for each version of a channel's settings; null where the pattern is no regular expression. */
const patterns = new WeakMap<ChannelSettings, Pattern | null>();

/** Whether `content` can leave through `channel`; `supportsMedia`: whether its provider takes media at all. */
export function checkOutgoing(
  channel: Channel,
  supportsMedia: boolean,
  content: OutgoingContent,
): OutgoingCheck {
  const { settings } = channel;
  const { text, media } = content;
  if (!channel.enabled) return { kind: "disabled", detail: `the channel ${channel.name} is disabled` };
  if (text === "" && media.length === 0) return invalid("text", "a message without media needs a text");
  const parts = textParts(text, settings);
  if (parts.length === 1 && !isWithin(parts[0], settings)) return tooLong(channel, parts[0]);
  if (!mayReach(settings, content.to)) {
    return invalid("to", `the channel ${channel.name} does not send to ${content.to}`);
  }
  const analysis = totalOf(parts);
  if (analysis.unsupported.length > 0) {
    const named = analysis.unsupported.map((character) => JSON.stringify(character)).join(", ");
    return invalid("text", `the channel ${channel.name} sends GSM 7-bit only, which has no ${named}`);
  }
  if (media.length > 0) return checkMedia(channel, supportsMedia, media) ?? { kind: "fits", analysis };
  return { kind: "fits", analysis };
}

function tooLong({ name, settings }: Channel, { text, analysis }: TextPart): OutgoingCheck {
  const { maxTextLength, maxSegments, overlong } = settings;
  const [has, takes] = text.length > maxTextLength
    ? [`${text.length} UTF-16 units`, maxTextLength]
    : [`${analysis.segments} segments`, maxSegments];
  const inParts = overlong === "split" ? `, and not more than ${PARTS_MAX} such parts` : "";
  return invalid("text", `has ${has}; the channel ${name} takes ${takes}${inParts}`);
}

function checkMedia(channel: Channel, supportsMedia: boolean, media: readonly Media[]): OutgoingCheck | null {
  const { outbound, types, maxBytes } = channel.settings.media;
  if (!outbound) return impossible("media", `the channel ${channel.name} is set to send no media`);
  if (!supportsMedia) {
    return impossible("media", `the provider of the channel ${channel.name} takes no media`);
  }
  for (const [index, { contentType, sizeBytes }] of media.entries()) {
    if (contentType !== undefined && !isTypeAllowed(types, contentType)) {
      return invalid(
        `media.${index}.contentType`,
        `the channel ${channel.name} takes ${types.join(", ")}, not ${contentType}`,
      );
    }
    if (sizeBytes !== undefined && sizeBytes > maxBytes) {
      return invalid(
        `media.${index}`,
        `has ${sizeBytes} bytes; the channel ${channel.name} takes ${maxBytes}`,
      );
    }
  }
  return null;
}

function mayReach(settings: ChannelSettings, to: string): boolean {
  if (settings.destinationPattern === undefined) return true;
  let pattern = patterns.get(settings);
  if (pattern === undefined) {
    pattern = compile(settings.destinationPattern);
    patterns.set(settings, pattern);
  }
  return pattern !== null && pattern.test(to);
}

function compile(source: string): Pattern | null {
  try {
    return new Pattern(source);
  } catch {
    return null;
  }
}

function invalid(field: string, message: string): OutgoingCheck {
  return { kind: "invalid", errors: [{ field, message }] };
}

function impossible(field: string, message: string): OutgoingCheck {
  return { kind: "impossible", errors: [{ field, message }] };
}
