import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { readOptOuts } from "../../core/opt_out/import.ts";
import { answerTo, DEFAULT_OPT_OUT, OptOutSettingsSchema } from "../../core/opt_out/settings.ts";
import { OPT_OUT_LANGUAGES, understand, WISHES, WORDS } from "../../core/opt_out/words.ts";

const wish = (text: string, settings = DEFAULT_OPT_OUT, isOptedOut = true) =>
  understand(text, settings, isOptedOut)?.wish ?? null;

Deno.test("IN-6: every word is understood however it is written, and only as the whole text", () => {
  for (const language of OPT_OUT_LANGUAGES) {
    for (const kind of WISHES) {
      for (const word of WORDS[language][kind]) {
        for (const text of [word, word.toUpperCase(), ` ${word}. `, `"${word}!"`, `${word}\n`]) {
          equal(wish(text, { ...DEFAULT_OPT_OUT, languages: [language] }), kind, text);
        }
        equal(wish(`please ${word} it now`), null);
      }
    }
  }
  equal(wish("ARRÊT"), "stop");
  equal(wish("Opt   Out"), "stop");
});

Deno.test("IN-6: words that federal rules name work in English", () => {
  // 47 CFR 64.1200(a)(10), in force since 2025-04-11.
  for (const word of ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"]) {
    equal(wish(word, { ...DEFAULT_OPT_OUT, languages: ["en"] }), "stop", word);
  }
});

Deno.test("a yes resumes only what was ended; a number's own words count, ignored ones do not", () => {
  equal(wish("yes", DEFAULT_OPT_OUT, false), null);
  equal(wish("yes", DEFAULT_OPT_OUT, true), "start");
  const own = OptOutSettingsSchema.parse({
    languages: ["fr"],
    words: { stop: ["Désabonner"] },
    ignored: ["Arrêt"],
  });
  deepEqual(understand("DESABONNER", own, false), { wish: "stop", word: "desabonner", language: "fr" });
  equal(wish("arret", own), null);
  equal(wish("stop", own), null);
});

Deno.test("no text throws, and none that has another word in it is a wish", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
    understand(text, DEFAULT_OPT_OUT, true);
  }));
  const word = fc.constantFrom(...OPT_OUT_LANGUAGES.flatMap((l) => WISHES.flatMap((w) => WORDS[l][w])));
  fc.assert(fc.property(word, fc.stringMatching(/^[x-z]{3,9}$/), fc.boolean(), (word, other, before) => {
    equal(wish(before ? `${other} ${word}` : `${word} ${other}`), null);
  }));
});

Deno.test("answers name the sender, and fit one segment of GSM 7-bit", () => {
  for (const language of OPT_OUT_LANGUAGES) {
    for (const kind of WISHES) {
      const text = answerTo(kind, language, DEFAULT_OPT_OUT, "Acme Support");
      equal(text.includes("Acme Support") && text.length <= 160 && /^[\x20-\x7e]+$/.test(text), true, text);
    }
  }
  const own = OptOutSettingsSchema.parse({ texts: { en: { stop: "Bye from {sender}" } } });
  equal(answerTo("stop", "en", own, "Acme"), "Bye from Acme");
});

Deno.test("a list of opt-outs is read line by line, faults with their lines", () => {
  const lines = [["contact", "number"], ["+1 202 555 0123", ""], ["+12025550124", "+14155550101"], [
    "12",
    "",
  ], ["+12025550125", "+19995550000"]];
  const { rows, errors } = readOptOuts(lines, (number) => number === "+14155550101");
  deepEqual(rows, [{ contact: "+12025550123", number: "*" }, {
    contact: "+12025550124",
    number: "+14155550101",
  }]);
  deepEqual(errors.map(({ field }) => field), ["line 4, contact", "line 5, number"]);
});
