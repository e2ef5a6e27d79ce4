/**
 * Messages that come in several webhooks: parts of a long text, or a text and its media. Parts are kept with
 * their conversation until the last is there, in whatever order they come; what is incomplete when its time is
 * over is delivered as it is.
 *
 * @module
 */
import type { InboundEntry } from "../core/entry.ts";

type PartMedia = NonNullable<InboundEntry["media"]>;

/** What is kept of one part. */
interface Part {
  readonly index: number;
  readonly text: string;
  readonly media?: PartMedia;
  readonly providerId?: string;
}

/** A message of which parts are still missing. */
export interface Gathering {
  readonly channelId: string;
  readonly group: string;
  readonly of: number;
  /** When it is delivered as it is, ms since 1970. */
  readonly dueMs: number;
  readonly parts: readonly Part[];
}

/** A message as it is delivered. `note` says what is missing. */
export interface InboundContent {
  readonly text: string;
  readonly media?: PartMedia;
  readonly providerId?: string;
  readonly note?: string;
}

export interface Gathered {
  /** The very list that was given where nothing changed. */
  readonly gatherings: readonly Gathering[];
  /** To be delivered now, in this order. */
  readonly ready: readonly InboundContent[];
}

/** How long parts are waited for: operators deliver within minutes or not at all; nobody documents a limit. */
const WAIT_MS = 600_000;
/** Unfinished messages of one conversation; one more, and the oldest is delivered as it is. */
const GATHERINGS_MAX = 8;
/** What is kept of one message, UTF-16 units of texts and links: 255 parts of 153 characters, and media. */
const UNITS_MAX = 60_000;

/** Adds a part. `entry` must have a fragment. */
export function gather(gatherings: readonly Gathering[], entry: InboundEntry): Gathered {
  const { group, of, index, waitMs = WAIT_MS } = entry.fragment!;
  const part: Part = {
    index,
    text: entry.text,
    ...(entry.media === undefined ? {} : { media: entry.media }),
    ...(entry.providerId === undefined ? {} : { providerId: entry.providerId }),
  };
  const known = gatherings.find((one) => one.channelId === entry.channelId && one.group === group);
  const ready: InboundContent[] = [];
  let others = gatherings.filter((one) => one !== known);
  let parts: readonly Part[] = [part];
  let dueMs = entry.at + waitMs;
  if (known !== undefined) {
    const twin = known.parts.find((one) => one.index === index);
    if (twin !== undefined && known.of === of && sameContent(twin, part)) return { gatherings, ready };
    // The provider counts its groups round: this is the next message, and of the former one nothing more comes.
    if (twin !== undefined || known.of !== of || unitsOf(known.parts) + unitsOf(parts) > UNITS_MAX) {
      ready.push(joined(known));
    } else {
      parts = [...known.parts, part].sort((a, b) => a.index - b.index);
      dueMs = known.dueMs;
    }
  }
  const gathering: Gathering = { channelId: entry.channelId, group, of, dueMs, parts };
  if (parts.length === of) return { gatherings: others, ready: [...ready, joined(gathering)] };
  if (others.length >= GATHERINGS_MAX) {
    ready.unshift(joined(others[0]!));
    others = others.slice(1);
  }
  return { gatherings: [...others, gathering], ready };
}

/** Takes out what is due at `nowMs`. */
export function takeOverdue(gatherings: readonly Gathering[], nowMs: number): Gathered {
  const overdue = gatherings.filter(({ dueMs }) => dueMs <= nowMs);
  if (overdue.length === 0) return { gatherings, ready: [] };
  return {
    gatherings: gatherings.filter(({ dueMs }) => dueMs > nowMs),
    ready: overdue.sort((a, b) => a.dueMs - b.dueMs).map(joined),
  };
}

/** When the next one is due; null when nothing is waited for. */
export function nextDueMs(gatherings: readonly Gathering[] | undefined): number | null {
  if (gatherings === undefined || gatherings.length === 0) return null;
  return Math.min(...gatherings.map(({ dueMs }) => dueMs));
}

function joined({ of, parts }: Gathering): InboundContent {
  const media = parts.flatMap((part) => part.media ?? []);
  const providerId = parts.find((part) => part.providerId !== undefined)?.providerId;
  return {
    text: parts.map(({ text }) => text).join(""),
    ...(media.length === 0 ? {} : { media }),
    ...(providerId === undefined ? {} : { providerId }),
    ...(parts.length === of ? {} : { note: `incomplete: ${parts.length} of ${of} parts came` }),
  };
}

function sameContent(a: Part, b: Part): boolean {
  return a.text === b.text && JSON.stringify(a.media ?? []) === JSON.stringify(b.media ?? []);
}

function unitsOf(parts: readonly Part[]): number {
  return parts.reduce(
    (sum, { text, media = [] }) =>
      sum + text.length + media.reduce((links, { url }) => links + url.length, 0),
    0,
  );
}
