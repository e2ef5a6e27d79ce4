/**
 * What a queue says to a contact by itself.
 *
 * @module
 */
import { type AutomatedTextKind, filledIn, inLanguage, type Texts } from "../core/automated_text.ts";
import type { MessageQueue } from "../core/directory.ts";
import type { Command, CommandReply } from "../core/entry.ts";
import { DEFAULT_OPT_OUT } from "../core/opt_out/settings.ts";
import type { Draft } from "./draft.ts";

const SECONDS_PER_MINUTE = 60;

/** Of automated texts: what is known of the contact or, for want of it, the first of the number's. */
export function languageOf({ number }: Draft, known: string | null | undefined): string {
  return known ?? (number.optOut ?? DEFAULT_OPT_OUT).languages[0] ?? "en";
}

/**
 * Says one of the texts, if there is one. The gate would stop it for a contact who wants no messages; leaving it out
 * keeps the conversation free of what was never sent.
 */
export function say(
  draft: Draft,
  kind: AutomatedTextKind,
  texts: Texts | undefined,
  language: string | null | undefined,
  values: Parameters<typeof filledIn>[1] = {},
): void {
  if (texts === undefined || draft.isOptedOut) return;
  const text = filledIn(inLanguage(texts, languageOf(draft, language)), values);
  if (text !== null) draft.addAutomatedText(text, kind);
}

/** Says what the open session's queue has for this. */
export function sayOfQueue(
  draft: Draft,
  kind: AutomatedTextKind,
  pick: (texts: MessageQueue["texts"]) => Texts | undefined,
  values?: Parameters<typeof filledIn>[1],
): void {
  const { queue, session } = draft;
  if (queue !== undefined) say(draft, kind, pick(queue.texts), session?.language, values);
}

/** To whoever waits in the line; nothing where the session left it meanwhile. */
export function sayInLine(
  draft: Draft,
  { sessionId, queueId, text, position, waitSeconds, close }: Extract<Command, { kind: "say" }>,
): CommandReply {
  const { session } = draft;
  const isInLine = session?.state === "waiting" || session?.state === "offered";
  if (session?.id !== sessionId || !isInLine || session.queue_id !== queueId) return { ok: true };
  const minutes = waitSeconds === undefined ? undefined : Math.ceil(waitSeconds / SECONDS_PER_MINUTE);
  sayOfQueue(
    draft,
    text,
    (texts) => text === "waiting" ? texts.waiting : texts.queueFull,
    { position, minutes },
  );
  if (close === true && session.state === "waiting") draft.close("close", "queue-full", "system");
  return { ok: true };
}
