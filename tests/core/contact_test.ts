import { deepEqual, equal } from "node:assert/strict";
import { changeNotes, ContactPatchSchema, NOTHING_NOTED } from "../../core/contact.ts";

Deno.test("RT-8: a change of a contact's notes leaves alone what it does not name, and null takes away", () => {
  const one = changeNotes(NOTHING_NOTED, { attributes: { tier: "gold", city: "Salto" }, language: "es" });
  deepEqual(one, { attributes: { city: "Salto", tier: "gold" }, language: "es" });
  const two = changeNotes(one, { attributes: { city: null, age: "40" } });
  deepEqual(two, { attributes: { age: "40", tier: "gold" }, language: "es" });
  deepEqual(changeNotes(two, { language: null }), { ...two, language: null });
  deepEqual(changeNotes(one, {}), one);
});

Deno.test("RT-8: what cannot be noted is refused", () => {
  const fits = (patch: unknown) => ContactPatchSchema.safeParse(patch).success;
  equal(fits({ attributes: { tier: "gold" }, language: "es" }), true);
  for (
    const patch of [
      { language: "Spanish" },
      { attributes: { "": "x" } },
      { attributes: { "9": "x" } },
      { attributes: { tier: "" } },
      { attributes: { tier: "x".repeat(201) } },
      { attributes: { tier: "\0" } },
      { attributes: { tier: 1 } },
      { attributes: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`a${i}`, "x"])) },
      { tier: "gold" },
    ]
  ) equal(fits(patch), false, JSON.stringify(patch));
});
