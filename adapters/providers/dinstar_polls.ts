/**
 * What is fetched from a Dinstar gateway: messages that came in, results of sends, and the networks' delivery reports.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import type {
  HttpAnswer,
  HttpCall,
  NumberedSend,
  ParsedInbound,
  ParsedReport,
  PollResult,
  ProviderPoll,
} from "../../core/ports/provider.ts";
import { errorOfStatus, isObject, jsonObject } from "./answers.ts";
import { DINSTAR_ANSWERS, dinstarDelivery } from "./dinstar_codes.ts";
import { countAt, isUnreadable, readDinstarMessage, readDinstarResult } from "./dinstar_entries.ts";
import {
  dialled,
  type DinstarSettings,
  dinstarSettings,
  requiredDinstarSettings,
} from "./dinstar_settings.ts";
import { type JsonObject, listAt, objectAt, textAt } from "./json_values.ts";

/** Numbers that a query takes. */
const ASKED_MAX = 32;
/** What is kept of an entry that cannot be read. */
const CONTENT_MAX = 4_000;
/** The device's clock may be this much behind, ms. */
const CLOCK_SLACK_MS = 600_000;

type Failed = Extract<PollResult, { kind: "failed" }>;

export function dinstarUrl(channel: Channel, settings: DinstarSettings, path: string): string {
  const base = (channel.settings.baseUrl ?? settings.credentials.endpoint).replace(/\/+$/, "");
  return `${base}/api/${path}`;
}

const failed = (error: Failed["error"]): Failed => ({ kind: "failed", error });

/** The body of an answer that is good, or why it is not. 404: there is nothing yet. */
export function readDinstarAnswer(
  answer: HttpAnswer,
  settings: DinstarSettings,
): { readonly sn: string; readonly body: JsonObject } | Failed {
  const body = jsonObject(answer.body);
  const code = body === null ? undefined : textAt(body, "error_code");
  if (body === null || code === undefined) {
    if (answer.status < 200 || answer.status >= 300) return failed(errorOfStatus(answer.status));
    return failed({ class: "bad-response", reason: "the gateway's answer cannot be read" });
  }
  if (code !== "200" && code !== "202" && code !== "404") {
    return failed(
      DINSTAR_ANSWERS.find(code) ??
        { class: "unknown", providerCode: code.slice(0, 64), reason: "the gateway refused the query" },
    );
  }
  const sn = textAt(body, "sn") ?? "";
  const { serial } = settings.credentials;
  if (serial !== undefined && sn !== "" && sn !== serial) {
    return failed({
      class: "bad-response",
      reason: "another device than the one with the set serial number answered",
    });
  }
  return { sn, body: code === "404" ? {} : body };
}

const UNSET: Failed = failed({ class: "bad-request", reason: "the channel's settings do not fit" });

/** A message as it lies on the device. */
interface Place {
  readonly id: number;
  readonly timestamp: string;
}

/**
 * How far the inbox was read. A query asks for the last message again, one id earlier, since devices differ in whether
 * the id itself is included. If it is not in the answer, the inbox was cleared or its ids began anew: everything is
 * fetched from the first id then, and what was taken in the last days is known by its key.
 */
interface Mark {
  /** The last message that was taken; null: none since the ids began anew. */
  readonly last: Place | null;
  /** The last one before they did, while the inbox is read from its beginning. */
  readonly was: Place | null;
  readonly step: Step;
}

/**
 * From where the next query asks: one before the last message, the last one, which has to be there (`checked`) or may be
 * left out (`after`), or one after it.
 */
const FROM = { before: -1, checked: 0, after: 0, next: 1 } as const;
type Step = keyof typeof FROM;

/** An answer of at most so many characters had room for more: devices fill 8 KB. */
const COMPLETE_CHARS = 1_500;

/** Repeats are known for seven days; what is older than this when the ids begin anew is not taken again. */
const KNOWN_MS = 6 * 86_400_000;

function placeIn(object: JsonObject | null): Place | null {
  const id = object === null ? undefined : countAt(object, "id");
  return object === null || id === undefined ? null : { id, timestamp: textAt(object, "timestamp") ?? "" };
}

function readMark(mark: string | null): Mark {
  const parsed = mark === null ? null : jsonObject(mark);
  const step = parsed === null ? undefined : textAt(parsed, "step");
  return {
    last: placeIn(parsed),
    was: parsed === null ? null : placeIn(objectAt(parsed, "was") ?? null),
    step: step !== undefined && Object.hasOwn(FROM, step) ? step as Step : "before",
  };
}

function writeMark({ last, was, step }: Mark): string {
  return JSON.stringify({ ...last, ...(was !== null && { was }), ...(step !== "before" && { step }) });
}

const isAt = (place: Place) => ({ id, timestamp }: Place) => id === place.id && timestamp === place.timestamp;

/**
 * The step after an answer without news: `end` when there is nothing more, `restart` when the last message is gone. Long
 * messages may fill an answer, so that those after them do not show. From one after the last is asked only where it is
 * proven that the id itself counts in: elsewhere that would leave one out.
 */
function nextStep(
  { last, step }: Mark,
  entries: readonly Entry[],
  isComplete: boolean,
): Step | "end" | "restart" {
  if (last === null || step === "next") return "end";
  const hasLast = entries.some(isAt(last));
  if (step === "after") return hasLast ? "next" : "end";
  if (step === "checked") return hasLast ? "next" : "restart";
  const countsIn = entries.some(({ id }) => id === last.id - 1);
  if (!hasLast) return countsIn && !isComplete ? "checked" : "restart";
  return isComplete ? "end" : countsIn ? "next" : "after";
}

interface Entry {
  readonly id: number;
  readonly timestamp: string;
  readonly sms: JsonObject;
}

function entriesOf(body: JsonObject): readonly Entry[] {
  return listAt(body, "sms").filter(isObject).map((sms) => ({
    id: countAt(sms, "incoming_sms_id") ?? 0,
    timestamp: textAt(sms, "timestamp") ?? "",
    sms,
  })).sort((a, b) => a.id - b.id);
}

/** Whether it lay there long before the ids began anew. */
function isOld({ id, timestamp }: Entry, was: Place): boolean {
  return id <= was.id && timestamp < was.timestamp && distanceMs(timestamp, was.timestamp) > KNOWN_MS;
}

function readInbox(answer: HttpAnswer, channel: Channel, mark: string | null): PollResult {
  const settings = dinstarSettings(channel);
  if (settings === null) return UNSET;
  const read = readDinstarAnswer(answer, settings);
  if ("kind" in read) return read;
  const entries = entriesOf(read.body);
  const begun = readMark(mark);
  const { last, was } = begun;
  const next = nextStep(begun, entries, answer.body.length <= COMPLETE_CHARS);
  if (last !== null && (next === "restart" || next === "checked")) {
    // From the first id once more, at once: what came after a reset waits there. Until that is sure, nothing is taken.
    const again: Mark = next === "checked"
      ? { ...begun, step: next }
      : { last: null, was: last, step: "before" };
    return { kind: "polled", inbound: [], reports: [], mark: writeMark(again), more: true };
  }
  // An empty answer while the device started: nothing began anew, the last one is still there.
  const isBack = was !== null && entries.some(isAt(was));
  const from = isBack ? was : last;
  const fresh = entries.filter(({ id }) => from === null || id > from.id);
  const inbound: ParsedInbound[] = [];
  const unreadable: { reason: string; content: string }[] = [];
  for (const entry of fresh) {
    const message = was !== null && isOld(entry, was)
      ? { field: "timestamp", reason: "is old, and it was probably taken before the ids began anew" }
      : readDinstarMessage(entry.sms, read.sn, settings);
    if (!isUnreadable(message)) inbound.push(message);
    else {
      const content = JSON.stringify({ sn: read.sn, sms: entry.sms }).slice(0, CONTENT_MAX).toWellFormed();
      unreadable.push({ reason: `the field ${message.field} ${message.reason}`, content });
    }
  }
  const newest = fresh.at(-1) ?? from;
  const step = fresh.length > 0 || isBack ? "before" : next === "end" || next === "restart" ? null : next;
  return {
    kind: "polled",
    inbound,
    reports: [],
    unreadable,
    mark: newest === null ? mark : writeMark({
      last: { id: newest.id, timestamp: newest.timestamp },
      was: step === null || isBack ? null : was,
      step: step ?? "before",
    }),
    more: step !== null,
  };
}

export const dinstarInbox: ProviderPoll = {
  name: "inbox",
  intervalMs(channel) {
    const settings = dinstarSettings(channel);
    return settings === null || settings.credentials.inbound === "push"
      ? null
      : settings.credentials.inboundIntervalSeconds * 1_000;
  },
  build(channel, mark): HttpCall {
    const settings = requiredDinstarSettings(channel);
    const { last, step } = readMark(mark);
    const from = Math.max(0, (last?.id ?? 0) + FROM[step]);
    const ports = settings.ports.length === 0 ? "" : `&port=${encodeURIComponent(settings.ports.join(","))}`;
    // flag=unread would mark them as read, and a crash would lose them.
    return {
      method: "GET",
      url: dinstarUrl(channel, settings, `query_incoming_sms?flag=all&incoming_sms_id=${from}${ports}`),
      headers: { accept: "application/json" },
    };
  },
  read: readInbox,
};

function query(channel: Channel, path: string, body: Record<string, unknown>): HttpCall {
  return {
    method: "POST",
    url: dinstarUrl(channel, requiredDinstarSettings(channel), path),
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
  };
}

function resultsInterval(channel: Channel): number | null {
  const settings = dinstarSettings(channel);
  return settings === null ? null : settings.credentials.resultIntervalSeconds * 1_000;
}

type News = { number: number; note: string; ended: boolean };

/** The same destination, however it is written. */
function isSameNumber(a: string, b: string): boolean {
  const digits = (text: string) => text.replace(/\D/g, "").slice(-7);
  return digits(a) !== "" && digits(a) === digits(b);
}

function readResults(
  answer: HttpAnswer,
  channel: Channel,
  mark: string | null,
  sends: readonly NumberedSend[],
): PollResult {
  const settings = dinstarSettings(channel);
  if (settings === null) return UNSET;
  const read = readDinstarAnswer(answer, settings);
  if ("kind" in read) return read;
  const byNumber = new Map(sends.map((send) => [send.number, send]));
  const reports: ParsedReport[] = [];
  const news: News[] = [];
  for (const item of listAt(read.body, "result").filter(isObject)) {
    const result = readDinstarResult(item);
    const send = result === null ? undefined : byNumber.get(result.number);
    if (result === null || send === undefined) continue;
    const { number, outcome } = result;
    byNumber.delete(number);
    const to = textAt(item, "number");
    // A device that was told of this number before it forgot ours answers about another message.
    if (to !== undefined && !isSameNumber(to, send.to)) continue;
    const ended = outcome.status !== "sent" || !settings.credentials.statusReports;
    const note = `${countAt(item, "port") ?? ""}:${countAt(item, "ref_id") ?? ""}`;
    if (outcome.status !== "sent" || send.note === null) {
      reports.push({ messageId: send.messageId, providerId: String(number), ...outcome });
    }
    if (ended || note !== send.note) news.push({ number, note, ended });
  }
  return { kind: "polled", inbound: [], reports, mark, more: false, sends: news };
}

export const dinstarResults: ProviderPoll = {
  name: "results",
  intervalMs: resultsInterval,
  sends: { max: ASKED_MAX, noted: false },
  build: (channel, _mark, sends) =>
    query(channel, "query_sms_result", { user_id: sends.map((send) => send.number) }),
  read: readResults,
};

/** A time on the clock of a zone, `YYYY-MM-DD HH:MM:SS`. */
export function localTime(ms: number, timeZone: string): string {
  // Swedish writes it so.
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" }).format(ms);
}

/** How far two such times are apart, ms; infinitely far where one cannot be read. */
function distanceMs(a: string, b: string): number {
  const distance = Math.abs(Date.parse(`${a.replace(" ", "T")}Z`) - Date.parse(`${b.replace(" ", "T")}Z`));
  return Number.isNaN(distance) ? Infinity : distance;
}

function readDeliveries(
  answer: HttpAnswer,
  channel: Channel,
  mark: string | null,
  sends: readonly NumberedSend[],
): PollResult {
  const settings = dinstarSettings(channel);
  if (settings === null) return UNSET;
  const read = readDinstarAnswer(answer, settings);
  if ("kind" in read) return read;
  const zone = settings.credentials.timeZone ?? "UTC";
  const open = new Set(sends);
  const reports: ParsedReport[] = [];
  const news: News[] = [];
  for (const item of listAt(read.body, "result").filter(isObject)) {
    const outcome = dinstarDelivery(countAt(item, "status_code") ?? NaN);
    if (outcome === null || outcome.status === "sent") continue;
    const note = `${countAt(item, "port") ?? ""}:${countAt(item, "ref_id") ?? ""}`;
    const time = textAt(item, "time") ?? "";
    // The network's reference is one byte and comes round: of several, the one that was sent nearest to it.
    const [send] = [...open].filter((one) =>
      one.note === note && isSameNumber(one.to, textAt(item, "number") ?? "")
    )
      .map((one) => ({ one, distance: distanceMs(localTime(one.sentMs, zone), time) }))
      .sort((a, b) => a.distance - b.distance || a.one.number - b.one.number);
    if (send === undefined) continue;
    const { number, messageId } = send.one;
    open.delete(send.one);
    reports.push({ messageId, providerId: String(number), ...outcome });
    news.push({ number, note, ended: true });
  }
  return { kind: "polled", inbound: [], reports, mark, more: false, sends: news };
}

export const dinstarDeliveries: ProviderPoll = {
  name: "deliveries",
  intervalMs: (channel) =>
    dinstarSettings(channel)?.credentials.statusReports === false ? null : resultsInterval(channel),
  sends: { max: ASKED_MAX, noted: true },
  build(channel, _mark, sends) {
    const settings = requiredDinstarSettings(channel);
    const { timeZone } = settings.credentials;
    const ports = sends.map((send) => send.note?.split(":")[0] ?? "").filter((port) => port !== "").map(
      Number,
    );
    const oldestMs = Math.min(...sends.map((send) => send.sentMs)) - CLOCK_SLACK_MS;
    return query(channel, "query_sms_deliver_status", {
      number: [...new Set(sends.map((send) => dialled(settings, send.to)))],
      ...(ports.length > 0 && { port: [...new Set(ports)] }),
      ...(timeZone !== undefined && { time_after: localTime(oldestMs, timeZone) }),
    });
  },
  read: readDeliveries,
};
