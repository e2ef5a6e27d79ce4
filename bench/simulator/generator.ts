/**
 * Contacts by the thousand: unique messages over many conversations, at a rate or as fast as the connections
 * allow. A conversation always uses the same connection, so its messages arrive in order unless disorder is
 * asked for.
 *
 * Cost for the machine that is being measured: 11 µs a message, 27 µs where the provider signs.
 *
 * @module
 */
import { pause, preciseNowMs, seededRandom } from "./clock.ts";
import {
  type ContactMessage,
  inboundId,
  inboundRequest,
  type WebhookOptions,
  webhookTarget,
} from "./contact.ts";
import { Histogram, type LatencySummary } from "./histogram.ts";
import { KeepAliveLine, LinePool } from "./http_client.ts";
import { newRunHex } from "./ids.ts";
import { contactNumber, CONTACTS_MAX } from "./numbers.ts";
import { Pace } from "./pace.ts";
import { type Fate, SentMessages } from "./sent_messages.ts";

/** Shares of messages, from 0 to 1. */
export interface Disorder {
  /** Messages delivered twice. */
  readonly duplicates: number;
  /** Whether the copy leaves at the same time, on another connection, or after the first was answered. @default true */
  readonly duplicateAtOnce?: boolean;
  /** Messages delivered after the next one of the same conversation. */
  readonly reorder: number;
}

export interface GeneratorOptions extends WebhookOptions {
  /** Our numbers that contacts write to, taken in turn. */
  readonly numbers: readonly string[];
  /** Different pairs of contact and number. @default 10000 */
  readonly conversations?: number;
  /** The index of the first contact: two generators with ranges apart never share a conversation. @default 0 */
  readonly firstContact?: number;
  /** @default 32 */
  readonly connections?: number;
  /** Messages per second; left out: as fast as the connections allow. */
  readonly rateMps?: number;
  /** Sent, but not counted in rate and latency. @default 1000 */
  readonly warmupMs?: number;
  /** Ends so long after the warm-up. */
  readonly seconds?: number;
  /** Ends after so many messages, those of the warm-up included. */
  readonly messages?: number;
  /** @default 15000 */
  readonly timeoutMs?: number;
  /** How often a message is offered until it is answered 2xx, or 4xx other than 429. @default 1 */
  readonly tries?: number;
  /** Between two tries. @default 500 */
  readonly retryMs?: number;
  /** May be a function, to be changed while it runs. */
  readonly disorder?: Disorder | (() => Disorder);
  /** The text of a message, unique where it matters. @default `#<sequence> …` */
  readonly text?: (sequence: number, conversation: number) => string;
  /** Of the disorder's chance. @default 1 */
  readonly seed?: number;
}

export interface GeneratorProgress {
  /** Messages offered, copies and tries not counted. */
  readonly sent: number;
  /** … answered 2xx. */
  readonly accepted: number;
  /** … answered otherwise in the end. */
  readonly refused: number;
  /** … never answered. */
  readonly broken: number;
  /** Copies sent. */
  readonly duplicates: number;
}

export interface GeneratorResult extends GeneratorProgress {
  /** Every answer by its HTTP status, copies and tries included. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Why lines broke, with how often. */
  readonly breaks: Readonly<Record<string, number>>;
  /** Accepted after the warm-up, per second. */
  readonly acceptedMps: number;
  readonly measuredSeconds: number;
  /** From when a message was due (at a rate) or sent until its 2xx; with the wait behind slow answers. */
  readonly latency: LatencySummary;
  /** From when it was sent until its 2xx. */
  readonly service: LatencySummary;
}

/** A message with what became of it. Times are ms since 1970. */
export interface GeneratedMessage extends ContactMessage {
  readonly sequence: number;
  readonly fate: Fate;
  /** When it was first offered. */
  readonly sentMs: number;
  /** When it was first answered 2xx; null: never. */
  readonly answeredMs: number | null;
}

export interface Generator {
  /** Settles when the end is reached or {@link stop} was called, and the last answers are in. Never rejects. */
  readonly done: Promise<GeneratorResult>;
  readonly runHex: string;
  stop(): void;
  /** A new rate from now on; null: as fast as the connections allow. */
  setRate(rateMps: number | null): void;
  progress(): GeneratorProgress;
  /** The messages so far, in the order of their sequences, with what became of them. */
  messages(): Iterable<GeneratedMessage>;
  /** The ids of messages answered 2xx. */
  acceptedIds(): Iterable<string>;
}

const ORDERLY: Disorder = { duplicates: 0, reorder: 0 };
const SWEEP_MS = 250;
/** After a message that was given up: a target that is down is not to be run at. */
const BROKEN_PAUSE_MS = 20;

/** Starts at once. Throws on options that cannot be met. */
export function startGenerator(options: GeneratorOptions): Generator {
  const conversations = options.conversations ?? 10_000;
  const firstContact = options.firstContact ?? 0;
  const workers = Math.min(options.connections ?? 32, conversations);
  if (options.numbers.length === 0) throw new RangeError("a generator needs a number to write to");
  if (!(workers >= 1)) throw new RangeError("a generator needs a conversation and a connection");
  if (firstContact + conversations > CONTACTS_MAX) {
    throw new RangeError(`there are only ${CONTACTS_MAX} contacts`);
  }

  const target = webhookTarget(options);
  const runHex = newRunHex();
  const random = seededRandom(options.seed ?? 1);
  const tries = options.tries ?? 1;
  const textOf = options.text ??
    ((sequence: number) => `#${sequence} ${runHex} a contact asks after an order`);
  const disorder = options.disorder ?? ORDERLY;
  const disorderNow = typeof disorder === "function" ? disorder : () => disorder;

  const sent = new SentMessages();
  const counts = { sent: 0, accepted: 0, refused: 0, broken: 0, duplicates: 0 };
  const statuses: Record<number, number> = {};
  const breaks: Record<string, number> = {};
  const latency = new Histogram();
  const service = new Histogram();
  const stopping = new AbortController();

  const startMs = performance.now();
  const measureFromMs = startMs + (options.warmupMs ?? 1_000);
  const endMs = options.seconds === undefined ? Infinity : measureFromMs + options.seconds * 1000;
  const pace = new Pace(options.rateMps ?? null, endMs);
  let measured = 0;
  let lastMeasuredMs = measureFromMs;

  const messageOf = (sequence: number): ContactMessage => {
    const conversation = sent.conversation(sequence);
    return {
      id: inboundId(target.provider, runHex, sequence),
      from: contactNumber(firstContact + conversation),
      to: options.numbers[conversation % options.numbers.length]!,
      text: textOf(sequence, conversation),
    };
  };
  const ended = () =>
    stopping.signal.aborted || performance.now() >= endMs || sent.last >= (options.messages ?? Infinity);

  const lines = Array.from({ length: workers }, () => new KeepAliveLine(target.url.origin));
  const timeoutMs = options.timeoutMs ?? 15_000;
  const copies = new LinePool(target.url.origin, { lines: workers, timeoutMs });
  const sweep = setInterval(() => {
    const nowMs = performance.now();
    for (const line of lines) line.expire(nowMs, timeoutMs);
  }, Math.min(SWEEP_MS, timeoutMs));

  const offer = async (
    request: (text: string) => Promise<{ status: number }>,
    text: string,
  ): Promise<Fate> => {
    for (let left = tries;; left--) {
      let fate: Fate;
      try {
        const { status } = await request(text);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status >= 200 && status < 300) return "accepted";
        fate = "refused";
        if (status < 500 && status !== 429) return fate;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        breaks[reason] = (breaks[reason] ?? 0) + 1;
        fate = "broken";
      }
      if (stopping.signal.aborted) return fate;
      if (left <= 1) {
        if (fate === "broken") await pause(BROKEN_PAUSE_MS, stopping.signal);
        return fate;
      }
      await pause(options.retryMs ?? 500, stopping.signal);
    }
  };

  const deliver = async (line: KeepAliveLine, sequence: number, fromMs: number, today: Disorder) => {
    const text = inboundRequest(target, messageOf(sequence));
    const twice = today.duplicates > 0 && random() < today.duplicates;
    const atOnce = today.duplicateAtOnce ?? true;
    counts.sent++;
    const sentMs = performance.now();
    sent.offered(sequence, preciseNowMs());
    const offerOn = async (lines: KeepAliveLine | LinePool) => {
      const fate = await offer((text) => lines.request(text), text);
      if (fate === "accepted") sent.answered(sequence, preciseNowMs());
      return fate;
    };
    const copy = twice && atOnce ? offerOn(copies) : null;
    let fate = await offerOn(line);
    const answeredMs = performance.now();
    if (fate === "accepted" && fromMs >= measureFromMs && answeredMs <= endMs) {
      latency.record(answeredMs - fromMs);
      service.record(answeredMs - sentMs);
      measured++;
      lastMeasuredMs = answeredMs;
    }
    if (twice) {
      counts.duplicates++;
      const second = await (copy ?? offerOn(line));
      if (second === "accepted") fate = second;
    }
    sent.settle(sequence, fate);
    if (fate === "accepted") counts.accepted++;
    else if (fate === "refused") counts.refused++;
    else counts.broken++;
  };

  const work = async (line: KeepAliveLine, worker: number) => {
    for (let conversation = worker; !ended(); conversation += workers) {
      if (conversation >= conversations) conversation = worker;
      const fromMs = await pace.turn();
      if (ended()) break;
      const today = disorderNow();
      const sequence = sent.next(conversation);
      if (today.reorder > 0 && random() < today.reorder && !ended()) {
        await deliver(line, sent.next(conversation), fromMs, today);
      }
      await deliver(line, sequence, fromMs, today);
    }
    pace.end();
  };

  const run = async (): Promise<GeneratorResult> => {
    await Promise.all(lines.map(work));
    clearInterval(sweep);
    copies.close();
    for (const line of lines) line.close();
    const measuredSeconds = Math.max(0, (Math.min(endMs, lastMeasuredMs) - measureFromMs) / 1000);
    return {
      ...counts,
      statuses,
      breaks,
      acceptedMps: measuredSeconds === 0 ? 0 : measured / measuredSeconds,
      measuredSeconds,
      latency: latency.summary(),
      service: service.summary(),
    };
  };

  return {
    done: run(),
    runHex,
    stop() {
      stopping.abort();
      pace.end();
    },
    setRate: (rateMps) => pace.setRate(rateMps),
    progress: () => ({ ...counts }),
    *messages() {
      for (let sequence = 1; sequence <= sent.last; sequence++) {
        yield { ...messageOf(sequence), sequence, fate: sent.fate(sequence), ...sent.times(sequence) };
      }
    },
    *acceptedIds() {
      for (let sequence = 1; sequence <= sent.last; sequence++) {
        if (sent.fate(sequence) === "accepted") yield inboundId(target.provider, runHex, sequence);
      }
    },
  };
}
