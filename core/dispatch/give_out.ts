/**
 * Gives waiting sessions to those who can have them, the first in line first, over several lines at once.
 *
 * @module
 */
import { Heap } from "../send/heap.ts";
import { isBefore, type Match, type WaitingLine } from "./waiting_line.ts";

/**
 * Offers until nothing in `lines` can be given away, or `hasRoom` says no. An offer makes nothing possible that was
 * not before, so each line's next match only moves back: it is looked at again when its turn comes.
 */
export function giveOut(
  lines: Iterable<WaitingLine>,
  hasRoom: () => boolean,
  offer: (match: Match, line: WaitingLine) => void,
): void {
  const matches = new Heap<{ readonly line: WaitingLine; readonly match: Match }>((a, b) =>
    isBefore(a.match, b.match)
  );
  const look = (line: WaitingLine) => {
    const match = line.next();
    if (match !== null) matches.push({ line, match });
  };
  for (const line of lines) look(line);
  for (let found = matches.pop(); found !== undefined && hasRoom(); found = matches.pop()) {
    const { line } = found;
    const match = line.next();
    if (match?.session === found.match.session && match.again === found.match.again) offer(match, line);
    look(line);
  }
}
