import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { CalendarSettingsSchema } from "../../core/calendar/calendar.ts";
import type { ContactNotes } from "../../core/contact.ts";
import type { QueueTexts } from "../../core/automated_text.ts";
import type { Directory } from "../../core/directory.ts";
import type { ConversationEntry, InboundEntry } from "../../core/entry.ts";
import { inOrder, type Rule } from "../../core/rules/rule.ts";
import { type ConversationState, decide, NEW_CONVERSATION } from "../../routing/conversation.ts";
import { ALICE, CHANNEL, DIRECTORY, PLATFORM, QUEUE, TO_EXTENSION, TO_QUEUE } from "./directory.ts";

const CONTACT = "+34600000001";
/** A Monday morning and a Sunday in UTC. */
const OPEN_AT = Date.parse("2026-01-19T10:00Z");
const CLOSED_AT = Date.parse("2026-01-18T10:00Z");
const CALENDAR = {
  id: "cal_1",
  name: "Office",
  ...CalendarSettingsSchema.parse({
    timeZone: "UTC",
    hours: [{ days: ["mon"], from: "09:00", to: "18:00" }],
  }),
};
const TEXTS: QueueTexts = {
  greeting: { en: "Hello", es: "Hola" },
  outOfHours: { en: "We are closed", es: "Cerrado" },
};

let sequence = 0;
const inbound = (text: string, more: Partial<InboundEntry> = {}): InboundEntry => ({
  kind: "inbound",
  key: `k${++sequence}`,
  at: OPEN_AT,
  channelId: CHANNEL.id,
  number: TO_QUEUE.number,
  contact: CONTACT,
  text,
  ...more,
});
const step = (state: ConversationState, entry: ConversationEntry, directory: Directory) =>
  decide(state, entry, { directory, position: { partition: 1, sequence: ++sequence, entry: 0 } });

/** The queue with texts and hours, and these rules, the first first. */
function directory(rules: readonly Partial<Rule>[] = [], texts: QueueTexts = {}): Directory {
  const queue = { ...DIRECTORY.queues.get(QUEUE)!, calendarId: CALENDAR.id, texts };
  return {
    ...DIRECTORY,
    queues: new Map([[QUEUE, queue]]),
    calendars: new Map([[CALENDAR.id, CALENDAR]]),
    rules: inOrder(rules.map((rule, index) => ({
      id: `rul_${index}`,
      name: `Rule ${index}`,
      enabled: true,
      priority: index,
      match: {},
      action: {},
      ...rule,
    }))),
  };
}

const sentTexts = ({ messages }: ReturnType<typeof decide>) =>
  messages.filter(({ direction }) => direction === "outbound").map(({ text, author }) => [text, author?.id]);

Deno.test("RT-8: a rule decides where a session opens; the decision and its rule are kept and told", () => {
  const rules = directory([
    {
      name: "Elsewhere",
      match: { contactPrefixes: ["+1"] },
      action: { destination: { kind: "queue", id: QUEUE } },
    },
    {
      name: "Bills",
      match: { words: ["factura"] },
      action: { destination: { kind: "extension", id: ALICE } },
    },
  ]);
  const { state, events, sessions } = step(NEW_CONVERSATION, inbound("Mi FACTURA, por favor"), rules);
  const decidedBy = { kind: "rule", id: "rul_1", name: "Bills" };
  deepEqual([state.session!.state, state.session!.extension_id], ["active", ALICE]);
  deepEqual(sessions[0]!.history[0]!.decidedBy, decidedBy);
  const [opened, ...others] = events;
  deepEqual([opened!.type, opened!.data.decidedBy], ["session.opened", decidedBy]);
  equal(others.some(({ data }) => "decidedBy" in data), false);
  const other = step(NEW_CONVERSATION, inbound("hi"), rules);
  deepEqual([other.state.session!.queue_id, other.state.session!.history[0]!.decidedBy], [QUEUE, {
    kind: "number",
  }]);
});

Deno.test("RT-8: rules are asked when a session opens, by the time of the message, and not before", () => {
  const rules = directory([{
    match: { hours: { calendarId: CALENDAR.id, is: "closed" } },
    action: { destination: { kind: "platform", id: PLATFORM } },
  }]);
  const opened = step(NEW_CONVERSATION, inbound("hi"), rules);
  equal(opened.state.session!.queue_id, QUEUE);
  const later = step(opened.state, inbound("still there?", { at: CLOSED_AT + 7 * 86_400_000 }), rules);
  deepEqual([later.sessions.length, later.state.session!.queue_id], [0, QUEUE]);
  const closed = step(NEW_CONVERSATION, inbound("hi", { at: CLOSED_AT }), rules);
  equal(closed.state.session!.platform_id, PLATFORM);
});

Deno.test("RT-8: a contact is new with its first message, and returns with the first of a later session", () => {
  const rules = directory([{
    match: { contact: "new" },
    action: { destination: { kind: "extension", id: ALICE } },
  }]);
  const opened = step(NEW_CONVERSATION, inbound("hi"), rules);
  equal(opened.state.session!.extension_id, ALICE);
  const { id } = opened.state.session!;
  const closed = step(opened.state, {
    kind: "command",
    key: "close",
    at: OPEN_AT,
    number: TO_QUEUE.number,
    contact: CONTACT,
    author: { kind: "key", id: "key_1" },
    command: { kind: "close", sessionId: id },
  }, rules);
  equal(step(closed.state, inbound("me again"), rules).state.session!.queue_id, QUEUE);
});

Deno.test("RT-8: a rule whose platform is switched off leaves the session to the number's destination", () => {
  const rules = directory([{ action: { destination: { kind: "platform", id: PLATFORM } } }]);
  const off = {
    ...rules,
    platforms: new Map([[PLATFORM, { ...DIRECTORY.platforms.get(PLATFORM)!, enabled: false }]]),
  };
  equal(step(NEW_CONVERSATION, inbound("hi"), off).state.session!.queue_id, QUEUE);
});

Deno.test("RT-7: outside of a queue's hours its text is sent once and the session waits all the same", () => {
  const texts = directory([], TEXTS);
  const first = step(NEW_CONVERSATION, inbound("hi", { at: CLOSED_AT }), texts);
  deepEqual(sentTexts(first), [["We are closed", "out-of-hours"]]);
  deepEqual(first.messages.map(({ direction, position }) => [direction, position]), [["inbound", 1], [
    "outbound",
    2,
  ]]);
  deepEqual([first.messages[1]!.status, first.messages[1]!.session_id], ["queued", first.state.session!.id]);
  deepEqual([first.state.session!.state, first.state.session!.queue_id], ["waiting", QUEUE]);
  deepEqual(
    sentTexts(step(first.state, inbound("hello?", { at: CLOSED_AT + 1 }), texts)),
    [],
    "once a session",
  );
  deepEqual(sentTexts(step(NEW_CONVERSATION, inbound("hi"), texts)), [["Hello", "greeting"]]);
  const toAlice = inbound("hi", { number: TO_EXTENSION.number });
  deepEqual(sentTexts(step(NEW_CONVERSATION, toAlice, texts)), [], "no queue, no text of a queue");
});

Deno.test("RT-14: the text is in the rule's language, else in one that is there; a rule's own text goes before", () => {
  const said = (action: Rule["action"], texts = TEXTS) =>
    sentTexts(step(NEW_CONVERSATION, inbound("hi"), directory([{ action }], texts)));
  deepEqual(said({ language: "es" }), [["Hola", "greeting"]]);
  deepEqual(said({ language: "pt" }), [["Hello", "greeting"]]);
  deepEqual(said({ language: "pt" }, { greeting: { fr: "Bonjour", es: "Hola" } }), [["Hola", "greeting"]]);
  deepEqual(said({ text: { en: "Back on Monday" } }), [["Back on Monday", "rule"]]);
  deepEqual(said({}, {}), []);
});

Deno.test("RT-14: a text over the channel's limit goes in parts within it, though the channel refuses long texts", () => {
  const text = "We are closed today and will be back tomorrow at nine";
  const given = directory([{ action: { text: { en: text } } }]);
  const short = { ...CHANNEL, settings: { ...CHANNEL.settings, maxTextLength: 20 } };
  const parts = sentTexts(
    step(NEW_CONVERSATION, inbound("hi"), { ...given, channels: new Map([[CHANNEL.id, short]]) }),
  ).map(([part]) => part!);
  deepEqual([parts.join(""), parts.every((part) => part.length <= 20)], [text, true]);
});

Deno.test("RT-14: nobody who wants no messages is sent a text, and STOP is not greeted", () => {
  const texts = directory([{ action: { text: { en: "Welcome" } } }], TEXTS);
  const stopped = step(NEW_CONVERSATION, inbound("STOP"), texts);
  deepEqual(sentTexts(stopped).map(([, author]) => author), ["opt-out"]);
  const asked = step(stopped.state, inbound("where is my order?"), texts);
  deepEqual([asked.state.session === null, sentTexts(asked)], [false, []]);
});

Deno.test("RT-8: whatever the rules, a session opens with somebody who is there, or with nobody", () => {
  const destination = fc.record({
    kind: fc.constantFrom("extension" as const, "queue" as const, "platform" as const),
    id: fc.constantFrom(ALICE, QUEUE, PLATFORM, "gone"),
  });
  const action = fc.record({ destination, text: fc.constant({ en: "Hi" }) }, { requiredKeys: [] });
  const match = fc.record({
    contact: fc.constantFrom("new" as const, "returning" as const),
    words: fc.constantFrom("hi", "bye").map((word) => [word]),
    hours: fc.constantFrom("open" as const, "closed" as const).map((is) => ({ calendarId: CALENDAR.id, is })),
  }, { requiredKeys: [] });
  fc.assert(fc.property(
    fc.array(fc.record({ match, action, enabled: fc.boolean() }), { maxLength: 5 }),
    fc.constantFrom(OPEN_AT, CLOSED_AT),
    (rules, at) => {
      const given = directory(rules, TEXTS);
      const decision = step(NEW_CONVERSATION, inbound("hi", { at }), given);
      const session = decision.state.session!;
      const holders = [
        session.extension_id !== null && given.extensions.has(session.extension_id),
        session.queue_id !== null && given.queues.has(session.queue_id),
        session.platform_id !== null && given.platforms.has(session.platform_id),
      ];
      equal(holders.filter(Boolean).length, 1, "the number has a destination, so somebody has the session");
      equal(sentTexts(decision).length <= 1, true);
      equal(decision.messages[0]!.direction, "inbound");
    },
  ));
});

Deno.test("RT-8: what is noted of the contact and the language of the text decide, the noted one first", () => {
  const rules = directory([
    {
      name: "Gold",
      match: { attributes: { tier: ["gold"] } },
      action: { destination: { kind: "extension", id: ALICE } },
    },
    { name: "Spanish", match: { languages: ["es"] }, action: { text: { es: "Hola" } } },
  ]);
  const decided = (notes: ContactNotes | null, text: string) => {
    const { sessions } = decide(NEW_CONVERSATION, inbound(text), {
      directory: rules,
      position: { partition: 1, sequence: ++sequence, entry: 0 },
      known: {
        notes: new Map(notes === null ? [] : [[CONTACT, notes]]),
        detectLanguage: (text) => text.includes("pedido") ? "es" : null,
      },
    });
    const { decidedBy } = sessions[0]!.history[0]!;
    return decidedBy?.kind === "rule" ? decidedBy.name : null;
  };
  equal(decided(null, "mi pedido"), "Spanish");
  equal(decided(null, "hello"), null);
  equal(decided({ attributes: {}, language: "es" }, "hello"), "Spanish");
  equal(decided({ attributes: {}, language: "en" }, "mi pedido"), null);
  equal(decided({ attributes: { tier: "gold" }, language: "es" }, "mi pedido"), "Gold");
});
