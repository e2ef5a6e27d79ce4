/**
 * Found messages as a file, written as fast as it is read.
 *
 * @module
 */
import { stringify } from "csv-stringify/sync";
import { plainCell } from "../../../core/archive/csv.ts";
import { isE164 } from "../../../core/phone_number.ts";
import type { ArchiveHit } from "../../../core/ports/archive.ts";

export const ARCHIVE_FORMATS = ["json", "csv", "jsonl"] as const;
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number];

export const MEDIA_TYPES = {
  json: "application/json",
  csv: "text/csv",
  jsonl: "application/jsonl",
} as const satisfies Record<ArchiveFormat, string>;

const COLUMNS = [
  "id",
  "at",
  "direction",
  "status",
  "number",
  "contact",
  "text",
  "author",
  "channelId",
  "queueId",
  "extensionId",
  "sessionId",
  "sessionState",
  "sessionOpenedAt",
  "sessionClosedAt",
];

/**
 * The file as a stream: each read asks for one portion more, so that a slow reader holds nothing up and nothing piles
 * up for one; one who leaves ends the search. Cells of people's own words are made harmless for spreadsheets.
 */
export function exportStream(
  format: Exclude<ArchiveFormat, "json">,
  hits: AsyncGenerator<readonly ArchiveHit[]>,
  view: (hit: ArchiveHit) => unknown,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let head = format === "csv" ? stringify([COLUMNS]) : "";
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await hits.next();
        const lines = head + (value === undefined ? "" : linesOf(format, value, view));
        head = "";
        if (lines !== "") controller.enqueue(encoder.encode(lines));
        if (done === true) return controller.close();
        if (lines !== "") return;
      }
    },
    async cancel() {
      await hits.return(undefined);
    },
  }, { highWaterMark: 0 });
}

function linesOf(
  format: Exclude<ArchiveFormat, "json">,
  hits: readonly ArchiveHit[],
  view: (hit: ArchiveHit) => unknown,
): string {
  if (hits.length === 0) return "";
  return format === "csv"
    ? stringify(hits.map(cellsOf))
    : hits.map((hit) => JSON.stringify(view(hit)) + "\n").join("");
}

const time = (ms: number | null | undefined) => typeof ms === "number" ? new Date(ms).toISOString() : "";

/** A sender ID may begin with a sign; the plus of a phone number does no harm. */
const address = (value: string) => isE164(value) ? value : plainCell(value);

function cellsOf({ message, session }: ArchiveHit): string[] {
  const { author } = message;
  return [
    message.id,
    time(message.created_ms),
    message.direction,
    message.status,
    address(message.number),
    address(message.contact),
    plainCell(message.text),
    author === null ? "" : `${author.kind}:${author.id}`,
    message.channel_id,
    message.queue_id ?? "",
    message.extension_id ?? "",
    message.session_id ?? "",
    session?.state ?? "",
    time(session?.opened_ms),
    time(session?.closed_ms),
  ];
}
