import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { type Calendar, CalendarSettingsSchema } from "../../core/calendar/calendar.ts";
import { foldWords, hasWords } from "../../core/rules/fold_words.ts";
import { type Asked, explain, firstMatch } from "../../core/rules/match.ts";
import { inOrder, type Rule, RuleMatchSchema } from "../../core/rules/rule.ts";

const OFFICE: Calendar = {
  id: "cal_1",
  name: "Office",
  ...CalendarSettingsSchema.parse({
    timeZone: "America/Montevideo",
    hours: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "18:00" }],
  }),
};
const CALENDARS = new Map([[OFFICE.id, OFFICE]]);

const ASKED: Asked = {
  number: { id: "num_1", number: "+14155550101" },
  contact: "+34600000001",
  text: "¡Hola! ¿Está ABIERTO el domingo?",
  // A Sunday noon in Montevideo.
  atMs: Date.parse("2026-01-18T15:00Z"),
  isReturning: false,
  attributes: {},
  language: null,
};

let made = 0;
const rule = (match: Rule["match"], more: Partial<Rule> = {}): Rule => ({
  id: `rul_${String(++made).padStart(3, "0")}`,
  name: `Rule ${made}`,
  enabled: true,
  priority: 100,
  match,
  action: {},
  ...more,
});
const first = (rules: readonly Rule[], asked: Partial<Asked> = {}) =>
  firstMatch(inOrder(rules), { ...ASKED, ...asked }, CALENDARS)?.id;
const fits = (match: Rule["match"], asked: Partial<Asked> = {}) => first([rule(match)], asked) !== undefined;

Deno.test("RT-8: each condition holds where it should and nowhere else", () => {
  deepEqual([fits({}), fits({ numbers: ["num_2", "num_1"] }), fits({ numbers: ["num_2"] })], [
    true,
    true,
    false,
  ]);
  deepEqual([fits({ contactPrefixes: ["+1", "+34"] }), fits({ contactPrefixes: ["+346999"] })], [
    true,
    false,
  ]);
  deepEqual([fits({ contact: "new" }), fits({ contact: "returning" })], [true, false]);
  deepEqual([
    fits({ contact: "new" }, { isReturning: true }),
    fits({ contact: "returning" }, { isReturning: true }),
  ], [
    false,
    true,
  ]);
  deepEqual([fits({ pattern: "abierto|cerrado" }), fits({ pattern: "^abierto" })], [true, false]);
  const hours = (is: "open" | "closed") => ({ hours: { calendarId: OFFICE.id, is } });
  deepEqual([fits(hours("closed")), fits(hours("open"))], [true, false]);
  const monday = { atMs: Date.parse("2026-01-19T15:00Z") };
  deepEqual([fits(hours("closed"), monday), fits(hours("open"), monday)], [false, true]);
  equal(fits({ numbers: ["num_1"], contactPrefixes: ["+1"] }), false, "all of them must hold");
});

Deno.test("RT-8: each attribute named must have one of its values, whatever the case; a language must be known", () => {
  const tier = (...values: string[]) => ({ attributes: { tier: values } });
  const gold = { attributes: { tier: "Gold", city: "Salto" } };
  deepEqual(
    [fits(tier("silver", "gold"), gold), fits(tier("silver"), gold), fits(tier("gold"))],
    [true, false, false],
  );
  const both = { attributes: { tier: ["gold"], city: ["Salto", "Rocha"] } };
  deepEqual([fits(both, gold), fits(both, { attributes: { tier: "gold" } })], [true, false]);
  // A name that objects have by themselves is no attribute.
  equal(fits({ attributes: { constructor: ["x"] } }), false);
  const spanish = { languages: ["ca", "es"] };
  deepEqual(
    [fits(spanish, { language: "es" }), fits(spanish, { language: "en" }), fits(spanish)],
    [true, false, false],
  );
});

Deno.test("RT-8: words are whole, whatever their case, accents and what stands around them", () => {
  const words = (text: string, ...list: string[]) => fits({ words: list }, { text });
  deepEqual(
    [
      words("¿Está ABIERTO?", "abierto"),
      words("¿Está ABIERTO?", "ÉSTA"),
      words("abiertos", "abierto"),
      words("reabierto", "abierto"),
      words("el horario de atención", "Horario de atencion"),
      words("horario, de\natención", "horario de atención"),
      words("horario atención", "horario de atención"),
      words("STRASSE 5", "straße"),
      words("5€", "5"),
      words("", "x"),
    ],
    [true, true, false, false, true, true, false, false, true, false],
  );
  fc.assert(fc.property(
    fc.array(
      fc.string({ unit: "grapheme", maxLength: 8 }).map(foldWords).filter((word) => /^\S+$/.test(word)),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
    fc.nat(),
    fc.constantFrom(" ", ", ", "\n", " … "),
    (list, index, between) => {
      const word = list[index % list.length]!;
      const text = foldWords(list.join(between).toUpperCase());
      ok(hasWords(text, foldWords(word.toUpperCase())));
      equal(hasWords(text, `${foldWords(word)}x`), text.split(" ").includes(`${foldWords(word)}x`));
    },
  ));
});

Deno.test("RT-8: the first by priority decides, among equals the oldest; a disabled one never does", () => {
  const [late, early, disabled, equalOne] = [
    rule({}, { priority: 20 }),
    rule({}, { priority: 10 }),
    rule({}, { priority: 1, enabled: false }),
    rule({}, { priority: 10 }),
  ];
  equal(first([late, equalOne, early, disabled]), early.id);
  equal(first([late, disabled]), late.id);
  equal(first([disabled]), undefined);
  fc.assert(fc.property(
    fc.array(
      fc.record({ priority: fc.nat(3), enabled: fc.boolean(), prefix: fc.constantFrom("+3", "+4") }),
      { maxLength: 12 },
    ).map((list) => list.map(({ prefix, ...more }) => rule({ contactPrefixes: [prefix] }, more)))
      .chain((rules) =>
        fc.tuple(fc.constant(rules), fc.shuffledSubarray(rules, { minLength: rules.length }))
      ),
    ([rules, shuffled]) => {
      const decided = rules.find(({ id }) => id === first(shuffled));
      const fit = rules.filter(({ enabled, match }) => enabled && match.contactPrefixes![0] === "+3");
      const best = Math.min(...fit.map(({ priority }) => priority));
      equal(decided, fit.find(({ priority }) => priority === best));
    },
  ));
});

Deno.test("RT-8: a trial tells of every condition why it holds or not", () => {
  const [one] = inOrder([rule({
    numbers: ["num_2"],
    contactPrefixes: ["+34"],
    words: ["cerrado", "domingo"],
    pattern: "est[aá]",
    hours: { calendarId: OFFICE.id, is: "open" },
    contact: "new",
    languages: ["es", "ca"],
    attributes: { city: ["Salto"], tier: ["gold"] },
  })]);
  deepEqual(
    explain(one!, { ...ASKED, language: "pt", attributes: { city: "salto" } }, CALENDARS).map((
      { condition, holds, reason },
    ) => [condition, holds, reason]),
    [
      ["numbers", false, "+14155550101 is not one of its numbers"],
      ["contact", true, "the contact is new"],
      ["languages", false, "the contact's language is pt, not es, ca"],
      ["attributes", false, "the contact has no tier"],
      ["contactPrefixes", true, "+34600000001 begins with +34"],
      ["words", true, "the text has “domingo”"],
      ["pattern", true, "the pattern is found: “Está”"],
      ["hours", false, "the calendar Office is closed"],
    ],
  );
  equal(firstMatch([one!], ASKED, CALENDARS), null);
});

Deno.test("RT-8: conditions that could never hold, or always would by mistake, are refused", () => {
  const refused = [
    { numbers: [] },
    { words: ["?!"] },
    { words: [""] },
    { pattern: "(" },
    { pattern: "x".repeat(201) },
    { contactPrefixes: ["34"] },
    { contact: "known" },
    { hours: { calendarId: "cal_1" } },
    { language: "es" },
    { languages: [] },
    { languages: ["Spanish"] },
    { attributes: {} },
    { attributes: { tier: [] } },
    { attributes: { "with blank": ["x"] } },
  ];
  for (const match of refused) equal(RuleMatchSchema.safeParse(match).success, false, JSON.stringify(match));
});
