/**
 * How one of our numbers deals with contacts who want no more messages.
 *
 * @module
 */
import { z } from "zod";
import { OPT_OUT_LANGUAGES, type OptOutLanguage, type Wish } from "./words.ts";

const word = z.string().min(1).max(40);
const words = z.array(word).max(50).default([]);
const text = z.string().min(1).max(300);
const texts = z.object({
  stop: text.optional(),
  start: text.optional(),
  help: text.optional(),
}).strict();

export const OptOutSettingsSchema = z.object({
  enabled: z.boolean().default(true).describe(
    "Whether words such as STOP are acted upon; the gate holds always",
  ),
  languages: z.array(z.enum(OPT_OUT_LANGUAGES)).min(1).max(OPT_OUT_LANGUAGES.length)
    .default([...OPT_OUT_LANGUAGES]).describe("Whose words count; answers in doubt are in the first"),
  words: z.object({ stop: words, start: words, help: words }).strict().prefault({})
    .describe("Words of one's own, beside the languages'"),
  ignored: z.array(word).max(100).default([]).describe(
    "Words that are ordinary answers on this number, e.g. end",
  ),
  texts: z.partialRecord(z.enum(OPT_OUT_LANGUAGES), texts).default({})
    .describe("Answers in place of the usual ones, by language"),
}).strict();

export type OptOutSettings = z.output<typeof OptOutSettingsSchema>;

export const DEFAULT_OPT_OUT: OptOutSettings = OptOutSettingsSchema.parse({});

/** One confirmation, without anything that could pass for advertising: 47 CFR 64.1200(a)(12). */
const TEXTS: Readonly<Record<OptOutLanguage, Readonly<Record<Wish, string>>>> = {
  en: {
    stop: "You will get no more messages from {sender}. Reply START to get them again.",
    start: "You will get messages from {sender} again. Reply STOP to end them.",
    help: "{sender}: reply STOP to end messages, START to get them again. Rates of your carrier may apply.",
  },
  es: {
    stop: "No le llegaran mas mensajes de {sender}. Responda ALTA para recibirlos de nuevo.",
    start: "Le llegaran de nuevo los mensajes de {sender}. Responda BAJA para terminarlos.",
    help: "{sender}: responda BAJA para no recibir mensajes, ALTA para recibirlos de nuevo.",
  },
  fr: {
    stop: "Vous ne recevrez plus de messages de {sender}. Repondez COMMENCER pour en recevoir a nouveau.",
    start: "Vous recevrez de nouveau les messages de {sender}. Repondez ARRET pour les arreter.",
    help: "{sender} : repondez ARRET pour arreter les messages, COMMENCER pour en recevoir a nouveau.",
  },
  pt: {
    stop: "Nao recebera mais mensagens de {sender}. Responda INICIAR para voltar a recebe-las.",
    start: "Voltara a receber as mensagens de {sender}. Responda SAIR para as terminar.",
    help: "{sender}: responda SAIR para nao receber mensagens, INICIAR para voltar a recebe-las.",
  },
};

/** The answer to a wish; `sender` names who writes. */
export function answerTo(
  wish: Wish,
  language: OptOutLanguage,
  settings: OptOutSettings,
  sender: string,
): string {
  return (settings.texts[language]?.[wish] ?? TEXTS[language][wish]).replaceAll("{sender}", sender);
}
