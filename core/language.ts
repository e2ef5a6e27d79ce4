/**
 * Languages, as people's texts and the automated ones are told apart by.
 *
 * @module
 */
import { z } from "zod";

/** ISO 639, e.g. `en`. */
export const LanguageSchema = z.string().regex(/^[a-z]{2,3}$/, "must be a language such as en or es");

/** ISO 639 of the language that `text` is in; null where it is not clear. */
export type DetectLanguage = (text: string) => string | null;
