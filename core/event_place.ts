/**
 * A listener's place in the event stream, as it stands in `id:` and comes back as `Last-Event-ID`:
 * `<generation>-<sequence>` and, of each event that it had ahead of the stream, `.` and the id without its prefix.
 *
 * @module
 */
import { ID_PREFIX } from "./ids.ts";

/** What a listener has, and has not, when it comes. */
export interface EventPlace {
  /** The first sequence of the stream that it has not. */
  readonly from: number;
  /** Ids of events that it has all the same. Those that the stream has brought are taken out. */
  readonly had: Set<string>;
}

const PREFIX = `${ID_PREFIX.event}_`;
/** More than are ever under way; what is beyond comes twice. */
const AHEAD_LISTED_MAX = 64;
/** What {@link placeText} gives. */
export const PLACE_PATTERN = new RegExp(
  `^[0-9a-z]{1,20}-\\d{1,16}(\\.[0-9a-v]{26}){0,${AHEAD_LISTED_MAX}}$`,
);

/** @param generation of the stream: another one has other sequences */
export function placeText(generation: string, sequence: number, ahead: Iterable<string> = []): string {
  let text = `${generation}-${sequence}`;
  let listed = 0;
  for (const id of ahead) {
    if (++listed > AHEAD_LISTED_MAX) break;
    text += `.${id.slice(PREFIX.length)}`;
  }
  return text;
}

/** What follows the place that a listener was told; all that is kept when the stream is not the one it knew. */
export function placeAfter(text: string, generation: string): EventPlace {
  const [place, ...ahead] = text.split(".");
  const [told, sequence] = place!.split("-");
  const number = Number(sequence);
  const isKnown = told === generation && Number.isSafeInteger(number) && number >= 0;
  return { from: isKnown ? number + 1 : 1, had: new Set(ahead.map((id) => PREFIX + id)) };
}
