/**
 * Tells the language of a text with `eld`, the smallest of its models: of those tried it alone gives no answer rather
 * than a wrong one where a text is short (`docs/routing.md` has the figures).
 *
 * @module
 */
import type { DetectLanguage } from "../../core/language.ts";

/** Of fewer nothing can be said: order numbers and the like. */
const LETTERS_MIN = 6;

let loading: Promise<DetectLanguage> | null = null;

/** Loads the model once, when it is asked for at first: 150 ms and some 90 MB that most installations never need. */
export function languageDetector(): Promise<DetectLanguage> {
  return loading ??= load();
}

async function load(): Promise<DetectLanguage> {
  const { eld } = await import("eld/extrasmall");
  return (text) => {
    if ((text.match(/\p{L}/gu) ?? []).length < LETTERS_MIN) return null;
    const result = eld.detect(text);
    return result.language !== "" && result.isReliable() ? result.language : null;
  };
}
