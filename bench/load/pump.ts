/**
 * Sends a plan's requests and times their answers, on a thread that does nothing else meanwhile.
 *
 * @module
 */
import { preciseNowMs } from "../simulator/clock.ts";
import type { Journal } from "./journal.ts";
import { Lines } from "./lines.ts";
import type { LoadPlan, LoadResult } from "./plan.ts";
import type { Requests } from "./requests.ts";
import { Tally } from "./tally.ts";
import { Turns } from "./turns.ts";

/** So long after the last request answers are waited for. */
const LAST_ANSWERS_MS = 15_000;
const WAIT_MS_MAX = 100;

/** Blocks until the end. Throws when the server cannot be reached. */
export function pump(plan: LoadPlan, requests: Requests, journal: Journal): LoadResult {
  const { lines: lineCount, staggerMs = 0 } = plan;
  const startMs = preciseNowMs();
  const measureFromMs = startMs + (plan.warmupMs ?? 0);
  const endMs = plan.seconds === undefined ? Infinity : measureFromMs + plan.seconds * 1000;
  const requestsOf = (line: number) => Math.ceil(((plan.count ?? Infinity) - line) / lineCount);
  journal.measureFromMs = measureFromMs;
  const tally = new Tally(startMs, measureFromMs, endMs);
  const turns = new Turns(lineCount, plan.rateMps, startMs);
  /** Of each line: how many it has sent, and from when the one under way counts. */
  const sent = new Uint32Array(lineCount);
  const fromMs = new Float64Array(lineCount);
  let underWay = 0;
  let opened = 0;
  let finished = 0;

  const next = (line: number, nowMs: number) => {
    if (sent[line]! < requestsOf(line)) turns.free(line, nowMs);
    else finished++;
  };
  const lines = new Lines(plan.origin, lineCount, {
    answered(line, status, bodyOf) {
      const nowMs = preciseNowMs();
      tally.answered(status, bodyOf, { fromMs: fromMs[line]!, nowMs });
      journal.accepted = tally.accepted;
      underWay--;
      next(line, nowMs);
    },
    broke(line, reason) {
      tally.broke(reason);
      underWay--;
      next(line, preciseNowMs());
    },
  });
  const sendAllDue = () => {
    const nowMs = preciseNowMs();
    while (opened < lineCount && nowMs >= startMs + opened * staggerMs) next(opened++, nowMs);
    for (let turn = turns.take(nowMs); turn !== null && nowMs < endMs; turn = turns.take(preciseNowMs())) {
      const { line } = turn;
      const index = line + lineCount * sent[line]!++;
      fromMs[line] = turn.fromMs;
      journal.left(index, preciseNowMs());
      underWay++;
      lines.send(line, requests.at(index));
    }
  };
  const waitMs = () => {
    const nowMs = preciseNowMs();
    const nextMs = Math.min(turns.waitMs(nowMs), endMs - nowMs, opened < lineCount ? staggerMs : Infinity);
    return Math.max(1, Math.min(WAIT_MS_MAX, Math.floor(nextMs)));
  };
  try {
    while (finished < lineCount && preciseNowMs() < endMs) {
      sendAllDue();
      lines.wait(waitMs());
    }
    const lastMs = preciseNowMs() + LAST_ANSWERS_MS;
    while (underWay > 0 && preciseNowMs() < lastMs) lines.wait(WAIT_MS_MAX);
    for (; underWay > 0; underWay--) tally.broke("no answer in time");
    return tally.result();
  } finally {
    lines.close();
  }
}
