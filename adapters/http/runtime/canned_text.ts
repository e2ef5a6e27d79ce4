/**
 * What is sent by a label in place of a text, and who may send nothing else.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { inLanguage } from "../../../core/automated_text.ts";
import { fillIn } from "../../../core/canned/placeholders.ts";
import type { ApiKey, Directory } from "../../../core/directory.ts";
import { LanguageSchema } from "../../../core/language.ts";
import type { CannedRecord, ConfigurationStore } from "../../../core/ports/configuration.ts";
import { invalidFields, Problem } from "../problem.ts";

const VALUE_UNITS_MAX = 200;
const VALUES_MAX = 20;
/** One label in all languages, of a queue and of all. */
const TEXTS_MAX = 1_000;

export const CannedField = z.object({
  label: z.string().min(1).max(64),
  language: LanguageSchema.optional().openapi({ description: "Left out: the session's, else English" }),
  values: z.record(
    z.string(),
    z.string().min(1).max(VALUE_UNITS_MAX),
  ).refine((values) => Object.keys(values).length <= VALUES_MAX, `has more than ${VALUES_MAX} values`)
    .default({}).openapi({ description: "What the text's own placeholders stand for" }),
}).strict().openapi({ description: "A canned text in place of `text`" });

/** A text as it was asked for. */
export interface AskedText {
  readonly text: string;
  readonly canned?: z.output<typeof CannedField> | undefined;
  readonly hasMedia: boolean;
}

/** Where it is to go. */
export interface TextPlace {
  readonly contact: string;
  readonly queueId: string | null;
  readonly language: string | null;
}

export interface TextContext {
  readonly configuration: ConfigurationStore;
  readonly directory: Directory;
  readonly key: ApiKey;
}

/**
 * The text that is to be sent.
 *
 * @throws {Problem} 400 or 422 where there is no such canned text, or its values do not fit; 403 where the agent may
 *   only send canned texts
 */
export async function textToSend(
  context: TextContext,
  asked: AskedText,
  place: TextPlace,
): Promise<string> {
  const { key, directory } = context;
  if (asked.canned === undefined || asked.hasMedia) refuseFreeText(key, directory, place.queueId);
  if (asked.canned === undefined) return asked.text;
  if (asked.text !== "") {
    throw invalidFields([{ field: "canned", message: "cannot come together with a text" }]);
  }
  const { label, language, values } = asked.canned;
  const record = await cannedText(context.configuration, label, language, place);
  const filled = fillIn(record.text, knownOf(context, place), values);
  switch (filled.kind) {
    case "filled":
      return filled.text;
    case "missing":
      throw valuesProblem(filled.names, "is needed for this text");
    case "unknown":
      throw valuesProblem(filled.names, "has no place in this text");
  }
}

/** An agent, or the agents of a queue, may be held to texts that an administrator wrote; attachments are none. */
export function refuseFreeText(key: ApiKey, directory: Directory, queueId: string | null): void {
  if (key.role !== "agent") return;
  const isHeld = directory.extensions.get(key.extensionId ?? "")?.cannedOnly === true ||
    directory.queues.get(queueId ?? "")?.cannedOnly === true;
  if (!isHeld) return;
  throw new Problem(403, "Only canned texts may be sent here, and without attachments.", {
    code: "canned-only",
  });
}

/** The queue's own text of this label goes before one of all queues. */
async function cannedText(
  configuration: ConfigurationStore,
  label: string,
  language: string | undefined,
  place: TextPlace,
): Promise<CannedRecord> {
  const rows = await configuration.read((reader) =>
    reader.cannedTexts({ queueId: place.queueId, label, limit: TEXTS_MAX })
  );
  const own = rows.filter(({ queueId }) => queueId !== null);
  const texts = own.length > 0 ? own : rows;
  if (texts.length === 0) {
    throw invalidFields([{ field: "canned.label", message: `there is no canned text ${label} here` }]);
  }
  const byLanguage = new Map(texts.map((row) => [row.language, row]));
  if (language !== undefined && !byLanguage.has(language)) {
    const there = [...byLanguage.keys()].join(", ");
    throw invalidFields([{ field: "canned.language", message: `${label} is there in ${there} only` }]);
  }
  const languages = Object.fromEntries([...byLanguage.keys()].map((key) => [key, key]));
  return byLanguage.get(inLanguage(languages, language ?? place.language ?? "en"))!;
}

function knownOf({ key, directory }: TextContext, { contact, queueId }: TextPlace) {
  const agent = directory.extensions.get(key.extensionId ?? "");
  const queue = directory.queues.get(queueId ?? "");
  return {
    "contact.number": contact,
    ...(agent === undefined ? {} : { "agent.name": agent.name, "agent.extension": agent.extension }),
    ...(queue === undefined ? {} : { "queue.name": queue.name }),
  };
}

function valuesProblem(names: readonly string[], message: string): Problem {
  return new Problem(422, "The values do not fit the canned text.", {
    code: "canned-values",
    errors: names.map((name) => ({ field: `canned.values.${name}`, message })),
  });
}
