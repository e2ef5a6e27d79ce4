import { deepEqual, ok } from "node:assert/strict";
import { languageDetector } from "../../adapters/language/eld.ts";

/** First messages such as people write to a business. */
const TEXTS: readonly (readonly [string, string])[] = [
  ["en", "hello"],
  ["en", "hi, where is my order?"],
  ["en", "I need help with my bill"],
  ["en", "what time do you open tomorrow"],
  ["en", "thanks"],
  ["en", "can I change my appointment"],
  ["en", "it does not work"],
  ["en", "please call me back"],
  ["en", "my internet is down since this morning"],
  ["en", "how much is it"],
  ["es", "hola"],
  ["es", "donde esta mi pedido"],
  ["es", "buenas tardes, quiero cambiar mi turno"],
  ["es", "necesito ayuda con la factura"],
  ["es", "a que hora abren mañana"],
  ["es", "gracias"],
  ["es", "no funciona internet"],
  ["es", "quisiera hablar con alguien"],
  ["es", "cuanto cuesta el envio a montevideo"],
  ["es", "me pueden llamar por favor"],
  ["fr", "bonjour"],
  ["fr", "où est ma commande"],
  ["fr", "je voudrais annuler mon rendez-vous"],
  ["fr", "j'ai besoin d'aide"],
  ["fr", "merci beaucoup"],
  ["pt", "olá"],
  ["pt", "onde está o meu pedido"],
  ["pt", "preciso de ajuda com a fatura"],
  ["pt", "obrigado"],
  ["pt", "qual é o horário de funcionamento amanhã"],
  ["de", "guten tag"],
  ["de", "wo ist meine bestellung"],
  ["de", "ich möchte meinen termin ändern"],
];

Deno.test("RT-8: the language of short texts is told right or not at all", async () => {
  const detect = await languageDetector();
  const told = TEXTS.map(([language, text]) => ({ language, text, detected: detect(text) }));
  deepEqual(told.filter(({ language, detected }) => detected !== null && detected !== language), []);
  // Of single words it often says nothing.
  const silent = told.filter(({ detected }) => detected === null);
  ok(silent.every(({ text }) => !text.includes(" ")), JSON.stringify(silent));
  ok(silent.length <= 6, JSON.stringify(silent));
});

Deno.test("RT-8: what is no language has none", async () => {
  const detect = await languageDetector();
  for (const text of ["", " ", "12345", "😀😀😀", "\u0000", "A1B2-C3"]) deepEqual(detect(text), null, text);
});
