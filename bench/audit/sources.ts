/**
 * Reading what others wrote down of a run: JSON lines, each checked before it is believed.
 *
 * @module
 */
import { z } from "zod";
import { PROVIDERS } from "../simulator/faults.ts";
import type { CallRecord } from "../simulator/record.ts";
import type { OptOut, Promised, Webhook } from "./run.ts";

const CallSchema: z.ZodType<CallRecord> = z.object({
  sequence: z.number().int().min(1),
  atMs: z.number(),
  provider: z.enum(PROVIDERS),
  from: z.string(),
  to: z.string(),
  text: z.string().nullable(),
  textHash: z.number(),
  messageId: z.string().nullable(),
  providerId: z.string().nullable(),
  accepted: z.boolean(),
  answer: z.union([z.number(), z.enum(["hang", "cut"])]),
  code: z.string().nullable(),
});

const WebhookSchema: z.ZodType<Webhook> = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  text: z.string(),
  fate: z.enum(["unsent", "accepted", "refused", "broken"]),
  sentMs: z.number(),
  answeredMs: z.number().nullable(),
});

const PromisedSchema: z.ZodType<Promised> = z.object({ messageId: z.string(), text: z.string() });

const OptOutSchema: z.ZodType<OptOut, unknown> = z.object({
  contact: z.string(),
  number: z.string().nullable().default(null),
  sinceMs: z.number().default(0),
  untilMs: z.number().nullable().default(null),
});

/** The carrier's record: a file of JSON lines, or the simulator's base URL. Throws with the line that does not fit. */
export async function readCalls(source: string): Promise<CallRecord[]> {
  if (!/^https?:\/\//.test(source)) return await readLines(source, CallSchema);
  const url = new URL("/control/record", source);
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.href} answered ${answer.status}`);
  return parseLines(await answer.text(), url.href, CallSchema);
}

/** What contacts wrote, as `simulate --webhooks` leaves it. */
export function readWebhooks(path: string): Promise<Webhook[]> {
  return readLines(path, WebhookSchema);
}

/** Answered commands: `{"messageId":…,"text":…}` a line. */
export function readPromised(path: string): Promise<Promised[]> {
  return readLines(path, PromisedSchema);
}

/** Contacts who opted out: `{"contact":…}` a line, with `number`, `sinceMs` and `untilMs` where they are limited. */
export function readOptOuts(path: string): Promise<OptOut[]> {
  return readLines(path, OptOutSchema);
}

async function readLines<T>(path: string, schema: z.ZodType<T, unknown>): Promise<T[]> {
  return parseLines(await Deno.readTextFile(path), path, schema);
}

/** Empty lines are skipped. */
export function parseLines<T>(text: string, source: string, schema: z.ZodType<T, unknown>): T[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const where = `${source}, line ${index + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new Error(`${where}: not JSON`);
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return [parsed.data];
    const issue = parsed.error.issues[0]!;
    throw new Error(`${where}: ${issue.path.join(".") || "line"}: ${issue.message}`);
  });
}
