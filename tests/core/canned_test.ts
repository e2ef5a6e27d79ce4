import { deepEqual, equal, match } from "node:assert/strict";
import fc from "fast-check";
import { fillIn, ownPlaceholders, placeholderFault } from "../../core/canned/placeholders.ts";
import { plainCell } from "../../core/archive/csv.ts";
import { highlights, searchTerms } from "../../core/archive/words.ts";

Deno.test("AG-2: placeholders are filled in with what is known and with what the sender gives", () => {
  const text =
    "Hi {{ contact.number }}, {{agent.name}} of {{queue.name}}: order {{order}} is {{state}}, {{order}}";
  equal(placeholderFault(text), undefined);
  deepEqual(ownPlaceholders(text), ["order", "state"]);
  const known = { "contact.number": "+15550001", "agent.name": "Ann", "queue.name": "Sales" };
  deepEqual(fillIn(text, known, { order: "7", state: "{{agent.name}} $&" }), {
    kind: "filled",
    text: "Hi +15550001, Ann of Sales: order 7 is {{agent.name}} $&, 7",
  });
  deepEqual(fillIn(text, known, { order: "7" }), { kind: "missing", names: ["state"] });
  deepEqual(fillIn("{{agent.name}}", {}, {}), { kind: "missing", names: ["agent.name"] });
  deepEqual(fillIn("{{constructor}}", {}, {}), { kind: "missing", names: ["constructor"] });
  deepEqual(fillIn("plain", known, { order: "7" }), { kind: "unknown", names: ["order"] });
});

Deno.test("AG-2: a canned text with a wrong placeholder is refused with the reason", () => {
  match(placeholderFault("Hi {{contact.name}}")!, /^\{\{contact\.name\}\} is neither/);
  match(placeholderFault("Hi {{a b}}")!, /neither/);
  match(placeholderFault("Hi {{name}")!, /without the other/);
  match(placeholderFault("Hi name}}")!, /without the other/);
});

Deno.test("AG-5: what is looked for stands where the highlights say", () => {
  const at = (text: string, asked: string) =>
    highlights(text, searchTerms(asked)).map(({ start, end }) => text.slice(start, end));
  deepEqual(at("¿Está ABIERTO? Esta sí.", "esta abierto"), ["Está", "ABIERTO", "Esta"]);
  deepEqual(at("ordering an order", "order* -an"), ["ordering", "order"]);
  deepEqual(at("a\u0301 la carte", '"a la"'), ["a\u0301", "la"]);
  deepEqual(searchTerms('say "not this" -or "" -- x*').map(({ words }) => words), [
    "say",
    "not this",
    "or",
    "x",
  ]);
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (text, asked) => {
    let last = 0;
    for (const { start, end } of highlights(text, searchTerms(asked))) {
      if (start < last || end <= start || end > text.length) throw new Error(`${start}–${end} in ${text}`);
      last = end;
    }
  }));
});

Deno.test("AG-5: cells that a spreadsheet would run are made plain, others stay as they are", () => {
  for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\uff1d1", "\r=1"]) {
    equal(plainCell(text), `'${text}`);
  }
  for (const text of ["", "1+1=2", "hello", "'=1", "¿=?"]) equal(plainCell(text), text);
});
