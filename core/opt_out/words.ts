/**
 * The words by which a contact ends, resumes or asks about messages.
 *
 * A word counts only when it is the whole text: "stop" is a wish, "stop by tomorrow" is not. The English ones
 * are those that 47 CFR 64.1200(a)(10) names together with what the providers recognise themselves (Twilio,
 * Telnyx, Infobip); the other languages' are the words that carriers there print on their messages.
 *
 * @module
 */

export const OPT_OUT_LANGUAGES = ["en", "es", "fr", "pt"] as const;
export type OptOutLanguage = (typeof OPT_OUT_LANGUAGES)[number];

export const WISHES = ["stop", "start", "help"] as const;
/** What a word asks for. */
export type Wish = (typeof WISHES)[number];

type Words = Readonly<Record<Wish, readonly string[]>>;

/** As {@link plain} leaves them. */
export const WORDS: Readonly<Record<OptOutLanguage, Words>> = {
  en: {
    stop: [
      "stop",
      "stopall",
      "stop all",
      "unsubscribe",
      "cancel",
      "end",
      "quit",
      "revoke",
      "optout",
      "opt-out",
      "opt out",
      "remove",
    ],
    start: ["start", "unstop", "resume", "yes"],
    help: ["help", "info"],
  },
  es: {
    stop: ["baja", "alto", "parar", "salir", "cancelar"],
    start: ["alta", "iniciar", "si"],
    help: ["ayuda"],
  },
  fr: { stop: ["arret", "arreter", "td"], start: ["commencer", "oui"], help: ["aide"] },
  pt: { stop: ["parar", "sair", "cancelar"], start: ["iniciar", "voltar", "sim"], help: ["ajuda"] },
};

/** Words for a yes: they resume only what was ended, since they answer many other questions too. */
const ANSWERS: ReadonlySet<string> = new Set(["yes", "si", "oui", "sim"]);

export interface WordRules {
  readonly languages: readonly OptOutLanguage[];
  /** Words of one's own, beside the languages'. */
  readonly words: Words;
  /** Words that are ordinary answers on this number. */
  readonly ignored: readonly string[];
}

/** What was understood, and in whose language the answer is to be. */
export interface Understood {
  readonly wish: Wish;
  /** As {@link plain} makes it. */
  readonly word: string;
  readonly language: OptOutLanguage;
}

/** No word of a person is longer; what is, is not looked at. */
const TEXT_UNITS_MAX = 40;

/** Lower case, without accents, blanks around and punctuation at the ends; inner blanks made one. */
export function plain(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase()
    .replace(/^[\s\p{P}\p{S}]+|[\s\p{P}\p{S}]+$/gu, "").replace(/\s+/g, " ");
}

/** What the whole of `text` asks for; null when it is no such word. `isOptedOut`: whether START has something to undo. */
export function understand(text: string, rules: WordRules, isOptedOut: boolean): Understood | null {
  if (text.length > TEXT_UNITS_MAX) return null;
  const word = plain(text);
  if (word === "" || rules.ignored.some((ignored) => plain(ignored) === word)) return null;
  if (ANSWERS.has(word) && !isOptedOut) return null;
  for (const wish of WISHES) {
    const language = rules.languages.find((language) => WORDS[language][wish].includes(word));
    if (language !== undefined) return { wish, word, language };
    if (rules.words[wish].some((own) => plain(own) === word)) {
      return { wish, word, language: rules.languages[0] ?? "en" };
    }
  }
  return null;
}
