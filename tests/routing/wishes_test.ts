import { deepStrictEqual as equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { Command, CommandEntry, InboundEntry } from "../../core/entry.ts";
import type { Directory } from "../../core/directory.ts";
import { ALL_NUMBERS } from "../../core/opt_out/opt_out.ts";
import {
  type ConversationState,
  decide,
  type Decision,
  NEW_CONVERSATION,
} from "../../routing/conversation.ts";
import { CHANNEL, DIRECTORY, TO_QUEUE } from "./directory.ts";

const CONTACT = "+14155550177";
const T0 = 1_800_000_000_000;
let sequence = 0;

const text = (text: string): InboundEntry => ({
  kind: "inbound",
  key: `k${++sequence}`,
  at: T0 + sequence,
  channelId: CHANNEL.id,
  number: TO_QUEUE.number,
  contact: CONTACT,
  text,
});

const command = (command: Command, number = TO_QUEUE.number): CommandEntry => ({
  kind: "command",
  key: `k${++sequence}`,
  at: T0 + sequence,
  number,
  contact: CONTACT,
  author: { kind: "key", id: "key_1" },
  command,
});

const SEND: Command = { kind: "send", text: "Offer", priority: 1 };

function step(
  state: ConversationState,
  entry: InboundEntry | CommandEntry,
  directory: Directory = DIRECTORY,
): Decision {
  return decide(state, entry, { directory, position: { partition: 1, sequence: ++sequence, entry: 0 } });
}

Deno.test("IN-6: STOP is filed, noted, told and confirmed once, and opens no session", () => {
  const first = step(NEW_CONVERSATION, text("Stop!"));
  equal(first.sessions, []);
  equal(first.messages.map(({ direction }) => direction), ["inbound", "outbound"]);
  equal(first.messages[1]!.author, { kind: "system", id: "opt-out" });
  equal(first.events.map(({ type }) => type), ["message.received", "contact.opted-out", "message.queued"]);
  const [optOut] = first.optOuts;
  equal([optOut!.contact, optOut!.number, optOut!.active, optOut!.source], [
    CONTACT,
    TO_QUEUE.number,
    true,
    "keyword",
  ]);
  const second = step(first.state, text("STOP"));
  equal([second.messages.length, second.optOuts.length], [1, 0]);
});

Deno.test("IN-6: an opted-out contact is not sent to until START; ordinary messages still come in", () => {
  const stopped = step(NEW_CONVERSATION, text("baja")).state;
  const refused = step(stopped, command(SEND));
  ok(refused.reply?.ok === false && refused.reply.code === "opted-out");
  equal(refused.state, stopped);
  const asked = step(stopped, text("Where is my order?"));
  equal(asked.sessions.length > 0, true);
  const back = step(asked.state, text("start"));
  equal(back.optOuts.map(({ active }) => active), [false]);
  equal(back.events.some(({ type }) => type === "contact.opted-in"), true);
  equal(step(back.state, command(SEND)).reply?.ok, true);
});

Deno.test("IN-6: where the provider answers STOP itself, it is noted and not answered again", () => {
  const settings = { ...CHANNEL.settings, optOutAnsweredBy: "provider" as const };
  const directory = { ...DIRECTORY, channels: new Map([[CHANNEL.id, { ...CHANNEL, settings }]]) };
  const { messages, optOuts } = step(NEW_CONVERSATION, text("STOP"), directory);
  equal([messages.length, optOuts.length], [1, 1]);
});

Deno.test("IN-6: HELP is answered and changes nothing else", () => {
  const { messages, optOuts, state } = step(NEW_CONVERSATION, text("help"));
  equal([messages.length, optOuts.length, state.session], [2, 0, null]);
});

Deno.test("a wish about all numbers is kept without a conversation", () => {
  const all = (kind: "opt-out" | "opt-in") => command({ kind, source: "request" }, ALL_NUMBERS);
  const out = step(NEW_CONVERSATION, all("opt-out"));
  equal([out.reply, out.optOuts.map(({ number, active }) => [number, active])], [{ ok: true }, [[
    "*",
    true,
  ]]]);
  equal(step(out.state, all("opt-out")).optOuts, []);
  equal(step(out.state, all("opt-in")).optOuts.map(({ active }) => active), [false]);
  equal(step(out.state, command(SEND, ALL_NUMBERS)).reply?.ok, false);
});

Deno.test("whatever comes in, the last wish holds and nothing is sent against it", () => {
  const input = fc.constantFrom("stop", "start", "yes", "help", "hello", "send");
  fc.assert(fc.property(fc.array(input, { maxLength: 20 }), (inputs) => {
    let state = NEW_CONVERSATION;
    let isOut = false;
    for (const one of inputs) {
      const decision = step(state, one === "send" ? command(SEND) : text(one));
      const changes: boolean = one === "stop" ? !isOut : (one === "start" || one === "yes") && isOut;
      equal(decision.optOuts.length, changes ? 1 : 0);
      if (one === "send") equal(decision.reply?.ok, !isOut);
      if (changes) isOut = !isOut;
      equal(decision.state.optedOut === true, isOut);
      state = decision.state;
    }
  }));
});
