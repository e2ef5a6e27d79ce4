import { deepStrictEqual as equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { CommandEntry, ConversationEntry, InboundEntry } from "../../core/entry.ts";
import { ConversationEntrySchema } from "../../core/entry.ts";
import type { MessageRow } from "../../core/message.ts";
import {
  type ConversationState,
  decide,
  type Decision,
  NEW_CONVERSATION,
} from "../../routing/conversation.ts";
import { nextDueMs } from "../../routing/fragments.ts";
import { DIRECTORY, TO_QUEUE } from "./directory.ts";

const T0 = 1_800_000_000_000;
const WAIT_MS = 600_000;
let sequence = 0;

function part(group: string, index: number, of: number, over: Partial<InboundEntry> = {}): InboundEntry {
  return {
    kind: "inbound",
    key: `k${++sequence}`,
    at: T0,
    channelId: TO_QUEUE.channelId,
    number: TO_QUEUE.number,
    contact: "+14155550177",
    text: `${group}${index} `,
    providerId: `id-${group}${index}`,
    fragment: { group, index, of },
    ...over,
  };
}

function overdue(at: number): CommandEntry {
  return {
    kind: "command",
    key: `k${++sequence}`,
    at,
    number: TO_QUEUE.number,
    contact: "+14155550177",
    author: { kind: "system", id: "parts" },
    command: { kind: "overdue-parts" },
  };
}

function apply(state: ConversationState, entry: ConversationEntry): Decision {
  return decide(state, entry, {
    directory: DIRECTORY,
    position: { partition: 3, sequence: ++sequence, entry: 0 },
  });
}

/** Applies all of it; between two entries everything in memory is lost, and what is stored is read again. */
function run(entries: readonly ConversationEntry[], state: ConversationState = NEW_CONVERSATION) {
  const messages: MessageRow[] = [];
  for (const entry of entries) {
    const decision = apply(JSON.parse(JSON.stringify(state)), JSON.parse(JSON.stringify(entry)));
    messages.push(...decision.messages);
    state = decision.state;
  }
  return { state, messages, texts: messages.map(({ text }) => text) };
}

Deno.test("parts in any order, each repeated at will, with a restart between any two, give one message with the whole text", () => {
  const arrivals = fc.integer({ min: 2, max: 12 }).chain((of) =>
    fc.tuple(
      fc.array(fc.string({ minLength: 1, maxLength: 160 }), { minLength: of, maxLength: of }),
      fc.shuffledSubarray(Array.from({ length: of }, (_, i) => i), { minLength: of, maxLength: of }),
      fc.array(fc.tuple(fc.nat(of - 1), fc.nat(of - 2)), { maxLength: 8 }),
    )
  );
  fc.assert(fc.property(arrivals, ([texts, order, repeats]) => {
    const of = texts.length;
    const arriving = [...order];
    // A repeat comes after its first arrival and before the last part.
    for (const [which, after] of repeats) {
      const place = order.indexOf(which);
      if (place < of - 1) arriving.splice(Math.max(arriving.indexOf(which) + 1, after), 0, which);
    }
    const last = order.at(-1)!;
    const inOrder = [...arriving.filter((index) => index !== last), last];
    const { state, messages } = run(
      inOrder.map((index, n) => part("g", index + 1, of, { text: texts[index]!, at: T0 + n })),
    );
    equal(messages.map(({ text, note, position }) => [text, note, position]), [[texts.join(""), null, 1]]);
    equal(messages[0]!.created_ms, T0 + inOrder.length - 1, "it stands where the last part came");
    equal(state.gatherings, undefined);
  }));
});

Deno.test("a decision about a part is the same whenever it is made, and a repeat changes nothing at all", () => {
  const { state } = run([part("a", 1, 3), part("a", 2, 3)]);
  const repeat = apply(state, part("a", 2, 3, { providerId: "another" }));
  equal([repeat.messages, repeat.sessions, repeat.events], [[], [], []]);
  ok(repeat.state.gatherings === state.gatherings, "what did not change is not written");
  const entry = part("a", 3, 3);
  const place = { directory: DIRECTORY, position: { partition: 3, sequence: 9, entry: 0 } };
  equal(decide(state, entry, place), decide(state, entry, place));
});

Deno.test("nobody is told before the last part is there: no session, no event, no place taken", () => {
  const first = apply(NEW_CONVERSATION, part("a", 2, 2));
  equal([first.messages, first.sessions, first.events, first.state.position], [[], [], [], 0]);
  equal(first.state.session, null);
  const second = apply(first.state, part("a", 1, 2));
  equal(second.events.map(({ type }) => type), ["session.opened", "session.offered", "message.received"]);
  equal(second.events.at(-1)?.data.text, "a1 a2 ");
  equal(second.messages[0]?.provider_id, "id-a1");
});

Deno.test("a text and its media are one message, whichever comes first", () => {
  const text = part("t", 1, 2, { text: "Look" });
  const media = part("t", 2, 2, {
    text: "",
    media: [{ url: "https://m.test/1" }, { url: "https://m.test/2" }],
  });
  for (const order of [[text, media], [media, text]]) {
    const { messages } = run(order);
    equal(messages.map((one) => [one.text, one.media?.map(({ url }) => url)]), [
      ["Look", ["https://m.test/1", "https://m.test/2"]],
    ]);
  }
});

Deno.test("messages whose parts are mixed are kept apart; a whole message does not wait for them", () => {
  const { texts, state } = run([
    part("a", 1, 2),
    part("b", 2, 2),
    part("x", 1, 1),
    part("b", 1, 2),
    part("a", 2, 2),
  ]);
  equal(texts, ["x1 ", "b1 b2 ", "a1 a2 "]);
  equal(state.position, 3);
});

Deno.test("what has come is delivered, marked, when the time is over, and not before", () => {
  const { state } = run([part("a", 3, 3), part("a", 1, 3, { at: T0 + 5 }), part("b", 1, 2, { at: T0 + 9 })]);
  equal(nextDueMs(state.gatherings), T0 + WAIT_MS, "counted from the first part");
  const early = apply(state, overdue(T0 + WAIT_MS - 1));
  equal(early.messages, []);
  ok(early.state.gatherings === state.gatherings);
  const due = apply(state, overdue(T0 + WAIT_MS));
  equal(due.messages.map(({ text, note }) => [text, note]), [["a1 a3 ", "incomplete: 2 of 3 parts came"]]);
  equal(due.events.at(-1)?.data.note, "incomplete: 2 of 3 parts came");
  equal(nextDueMs(due.state.gatherings), T0 + 9 + WAIT_MS);
  equal(apply(due.state, overdue(T0 + WAIT_MS)).messages, [], "once");
});

Deno.test("a part that comes too late is a message of its own", () => {
  const { state } = run([part("a", 1, 2), overdue(T0 + WAIT_MS)]);
  const late = run([part("a", 2, 2, { at: T0 + WAIT_MS + 1 }), overdue(T0 + 2 * WAIT_MS + 1)], state);
  equal(late.messages.map(({ text, note }) => [text, note]), [["a2 ", "incomplete: 1 of 2 parts came"]]);
});

Deno.test("a provider says how long its parts are waited for", () => {
  const { state } = run([part("a", 1, 2, { fragment: { group: "a", index: 1, of: 2, waitMs: 5_000 } })]);
  equal(nextDueMs(state.gatherings), T0 + 5_000);
});

Deno.test("a group that is used again before it was whole begins the next message, and the former one is not lost", () => {
  const { texts, messages } = run([
    part("a", 1, 2, { text: "old" }),
    part("a", 1, 2, { text: "new " }),
    part("a", 2, 2, { text: "end" }),
  ]);
  equal(texts, ["old", "new end"]);
  equal(messages[0]!.note, "incomplete: 1 of 2 parts came");
});

Deno.test("whatever parts come, no text is lost, none is delivered twice, and what is kept is bounded", () => {
  const parts = fc.array(
    fc.record({
      group: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"),
      index: fc.integer({ min: 1, max: 4 }),
      of: fc.integer({ min: 1, max: 4 }),
      long: fc.boolean(),
    }).filter(({ index, of }) => index <= of),
    { maxLength: 60 },
  );
  fc.assert(fc.property(parts, (list) => {
    const entries = list.map(({ group, index, of, long }, n) =>
      part(group, index, of, { text: `<${n}>${long ? "x".repeat(9_000) : ""}`, at: T0 + n })
    );
    let state = NEW_CONVERSATION;
    let delivered = "";
    for (const entry of [...entries, overdue(T0 + 2 * WAIT_MS)]) {
      const decision = apply(state, entry);
      for (const { text } of decision.messages) delivered += text;
      state = decision.state;
      ok((state.gatherings?.length ?? 0) <= 8);
      ok(JSON.stringify(state.gatherings ?? []).length < 8 * 70_000);
    }
    for (const { text } of entries) {
      equal(delivered.split(text.slice(0, text.indexOf(">") + 1)).length, 2, text);
    }
    equal(state.gatherings, undefined);
  }));
});

Deno.test("an entry with a part beyond the number of parts cannot be read", () => {
  const good = part("a", 2, 2);
  ok(ConversationEntrySchema.safeParse(good).success);
  for (const [index, of] of [[3, 2], [0, 2], [1, 256], [1.5, 2]] as const) {
    ok(!ConversationEntrySchema.safeParse({ ...good, fragment: { group: "a", index, of } }).success);
  }
});
