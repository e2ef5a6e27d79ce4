/**
 * A text as it leaves: with what the channel substitutes in it, and in parts where it is too long and the channel
 * is set to split. The author's answer, the stored messages and the provider's call all come from here, so that
 * they agree.
 *
 * @module
 */
import type { ChannelSettings } from "./channel.ts";
import type { Encoding } from "./message.ts";
import { analyseText, type TextAnalysis } from "./segments.ts";
import { substitute } from "./substitution.ts";

export interface TextPart {
  readonly text: string;
  readonly analysis: TextAnalysis;
}

/** More parts than that are a mistake, not a message. */
export const PARTS_MAX = 20;

export type TextSettings = Pick<
  ChannelSettings,
  "encoding" | "substitution" | "overlong" | "maxTextLength" | "maxSegments"
>;

/** Whether a part is within the channel's limits. */
export function isWithin({ text, analysis }: TextPart, settings: TextSettings): boolean {
  return text.length <= settings.maxTextLength && analysis.segments <= (settings.maxSegments ?? Infinity);
}

/**
 * `text` in its parts, in order: one, unless it is over a limit and the channel splits. One part that is over the
 * limit comes back whole where the channel refuses, or where it would take more than {@link PARTS_MAX}.
 */
export function textParts(text: string, settings: TextSettings): readonly [TextPart, ...TextPart[]] {
  const whole = partOf(substitute(text, settings.substitution, settings.encoding), settings);
  if (settings.overlong !== "split" || isWithin(whole, settings)) return [whole];
  const parts: TextPart[] = [];
  for (let rest = whole.text; rest !== "";) {
    if (parts.length === PARTS_MAX) return [whole];
    const end = cutOf(rest, settings);
    parts.push(partOf(rest.slice(0, end), settings));
    rest = rest.slice(end);
  }
  const [first = whole, ...others] = parts;
  return [first, ...others];
}

/** What all parts take together. */
export function totalOf(parts: readonly [TextPart, ...TextPart[]]): TextAnalysis {
  if (parts.length === 1) return parts[0].analysis;
  const all = parts.map(({ analysis }) => analysis);
  const sum = (of: (analysis: TextAnalysis) => number) => all.reduce((total, one) => total + of(one), 0);
  const encoding: Encoding = all.some((one) => one.encoding === "ucs2") ? "ucs2" : "gsm7";
  const unsupported = [...new Set(all.flatMap((one) => one.unsupported))];
  return { encoding, segments: sum((one) => one.segments), units: sum((one) => one.units), unsupported };
}

function partOf(text: string, settings: TextSettings): TextPart {
  return { text, analysis: analyseText(text, settings.encoding) };
}

/** How much of `text`, which is too long, makes the next part: behind a space in its second half, if there is one. */
function cutOf(text: string, settings: TextSettings): number {
  const fits = (end: number) => isWithin(partOf(text.slice(0, end), settings), settings);
  let most = Math.min(text.length, settings.maxTextLength);
  if (!fits(most)) {
    let least = 0;
    while (most - least > 1) {
      const middle = Math.floor((least + most) / 2);
      if (fits(middle)) least = middle;
      else most = middle;
    }
    most = least;
  }
  if (most >= text.length) return text.length;
  const end = boundaryAt(text, Math.max(most, 1));
  for (let at = end; at > end / 2; at--) if (/\s/.test(text[at - 1]!)) return at;
  return end;
}

const GRAPHEMES = new Intl.Segmenter("und", { granularity: "grapheme" });
/** No character that people see is longer, UTF-16 units; looking at more of the text would cost its square. */
const GRAPHEME_MAX = 64;

/** The last place up to `end` that does not cut what people see as one character; at least one code point. */
function boundaryAt(text: string, end: number): number {
  const from = Math.max(0, end - GRAPHEME_MAX);
  const start = from > 0 && isLowSurrogate(text, from) ? from - 1 : from;
  const window = text.slice(start, end + GRAPHEME_MAX);
  const whole = start + (GRAPHEMES.segment(window).containing(end - start)?.index ?? end - start);
  if (whole > start) return whole;
  if (!isLowSurrogate(text, end)) return end;
  return end > 1 ? end - 1 : 2;
}

function isLowSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}
