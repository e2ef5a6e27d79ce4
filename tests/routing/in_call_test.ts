import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { OwnNumber } from "../../core/channel.ts";
import type { Directory } from "../../core/directory.ts";
import type { CommandEntry, InboundEntry } from "../../core/entry.ts";
import { InCallSettingsSchema, type QueueInCall } from "../../core/in_call/settings.ts";
import { inOrder } from "../../core/rules/rule.ts";
import {
  type ConversationState,
  decide,
  type Decision,
  NEW_CONVERSATION,
} from "../../routing/conversation.ts";
import { ALICE, BOB, CHANNEL, DIRECTORY, PLATFORM, QUEUE, TO_NOBODY, TO_QUEUE } from "./directory.ts";

const NUMBER: OwnNumber = { ...TO_NOBODY, purpose: "in-call" };
const AMERICAN = "+12025550177";
const CANADIAN = "+14165550177";
const T0 = 1_800_000_000_000;
let sequence = 0;

/** An installation where calls are texted in, presets only. */
function directoryWith(
  inCall: Record<string, unknown> = {},
  ofQueue: QueueInCall = {},
  more: Partial<Directory> = {},
): Directory {
  const queue = DIRECTORY.queues.get(QUEUE)!;
  return {
    ...DIRECTORY,
    numbers: new Map([...DIRECTORY.numbers, [NUMBER.id, NUMBER]]),
    numbersByAddress: new Map([...DIRECTORY.numbersByAddress, [NUMBER.number, NUMBER]]),
    queues: new Map([[QUEUE, { ...queue, inCall: ofQueue }]]),
    inCall: InCallSettingsSchema.parse({ enabled: true, ...inCall }),
    inCallPresets: [
      { id: "pre_1", label: "Address", texts: { en: "1 Main St", es: "Calle 1" }, queueIds: [] },
      { id: "pre_2", label: "Claim", texts: { en: "Your claim" }, queueIds: [QUEUE] },
    ],
    ...more,
  };
}

const PLAIN = directoryWith();

interface Where {
  readonly directory?: Directory;
  readonly contact?: string;
  readonly author?: CommandEntry["author"];
  readonly number?: OwnNumber;
  readonly at?: number;
}

const PBX = { kind: "key", id: "key_pbx" } as const;
const agent = (id: string) => ({ kind: "extension", id }) as const;

function act(
  state: ConversationState,
  command: CommandEntry["command"],
  { directory = PLAIN, contact = AMERICAN, author = PBX, number = NUMBER, at = T0 }: Where = {},
): Decision {
  return decide(
    state,
    { kind: "command", key: `k${++sequence}`, at, number: number.number, contact, author, command },
    { directory, position: { partition: 3, sequence, entry: 0 } },
  );
}

function write(
  state: ConversationState,
  text: string,
  { directory = PLAIN, contact = AMERICAN, number = NUMBER, at = T0 }: Where = {},
  more: Partial<InboundEntry> = {},
): Decision {
  const { number: to, channelId } = number;
  return decide(
    state,
    { kind: "inbound", key: `k${++sequence}`, at, channelId, number: to, contact, text, ...more },
    { directory, position: { partition: 3, sequence, entry: 0 } },
  );
}

const call = (
  callId: string,
  more: { extensionId?: string; queueId?: string; language?: string } = {},
): CommandEntry["command"] => ({ kind: "open-call", callId, extensionId: ALICE, ...more });
const end = (callId: string, reason?: string): CommandEntry["command"] => ({
  kind: "end-call",
  callId,
  ...(reason === undefined ? {} : { reason }),
});
const opened = (where: Where = {}, more: Parameters<typeof call>[1] = {}) =>
  act(NEW_CONVERSATION, call("c1", more), where).state;
const codeOf = ({ reply }: Decision) => reply?.ok === false ? [reply.status, reply.code] : [];
const texts = ({ messages }: Decision) => messages.map(({ text }) => text);

Deno.test("IC-1: a call opens a session between the agent and the caller, and the same call finds it open", () => {
  const first = act(NEW_CONVERSATION, call("c1", { queueId: QUEUE, language: "es" }));
  const session = first.state.session!;
  deepEqual(
    [session.kind, session.call_id, session.state, session.extension_id, session.queue_id, session.language],
    ["call", "c1", "active", ALICE, QUEUE, "es"],
  );
  deepEqual(first.events.map(({ type, data }) => [type, data.callId]), [
    ["session.opened", "c1"],
    ["session.assigned", "c1"],
  ]);
  deepEqual(first.dispatch, [], "the phone system gives out calls");
  const again = act(first.state, call("c1", { queueId: QUEUE }));
  deepEqual([again.reply, again.sessions, again.events], [{ ok: true, sessionId: session.id }, [], []]);
  deepEqual(codeOf(act(first.state, call("c1", { extensionId: BOB }))), [409, "call-exists"]);
});

Deno.test("IC-1: a call that nobody ended is over when the caller's next one begins", () => {
  const { state, sessions } = act(opened(), call("c2", { extensionId: BOB }));
  deepEqual(sessions.map((row) => [row.call_id, row.state, row.close_reason]), [
    ["c1", "closed", "call-replaced"],
    ["c2", "active", null],
  ]);
  equal(state.session!.extension_id, BOB);
});

Deno.test("IC-1: the end of a call closes its session with what ended it, once; of others nothing changes", () => {
  const ended = act(opened(), end("c1", "caller hung up"));
  const [session] = ended.sessions;
  deepEqual([session!.state, session!.close_reason, session!.history.at(-1)!.note], [
    "closed",
    "call-ended",
    "caller hung up",
  ]);
  equal(ended.state.session, null);
  deepEqual(texts(ended), []);
  const twice = act(ended.state, end("c1", "again"));
  deepEqual([twice.reply, twice.sessions], [{ ok: true }, []]);
  const other = act(opened(), end("c9"));
  deepEqual([other.reply, other.sessions], [{ ok: true }, []]);
  equal(other.state.session!.state, "active");
});

Deno.test("IC-1: who ends a session of a call ends it like the call; it goes to extensions only", () => {
  const state = opened({}, { queueId: QUEUE });
  const sessionId = state.session!.id;
  const to = (kind: "extension" | "queue" | "platform", id: string) =>
    act(state, { kind: "transfer", sessionId, to: { kind, id } });
  deepEqual(codeOf(to("queue", QUEUE)), [409, "follows-its-call"]);
  deepEqual(codeOf(to("platform", PLATFORM)), [409, "follows-its-call"]);
  const moved = to("extension", BOB).state.session!;
  deepEqual([moved.extension_id, moved.queue_id, moved.kind], [BOB, QUEUE, "call"]);
  const closed = act(state, { kind: "close", sessionId }, { author: agent(ALICE) });
  equal(closed.sessions[0]!.close_reason, "agent");
  deepEqual(codeOf(act(state, end("c1"), { author: agent(BOB) })), [403, "held-by-another"]);
});

Deno.test("IC-2: a preset goes out by its label, in the language asked for, the call's, or the installation's", () => {
  const send = (
    more: { preset: string; language?: string },
    language?: string,
    queueId?: string,
    directory = PLAIN,
  ) =>
    act(
      opened({ directory }, { ...(language ? { language } : {}), ...(queueId ? { queueId } : {}) }),
      { kind: "send-in-call", callId: "c1", ...more },
      { author: agent(ALICE), directory },
    );
  const sent = send({ preset: "Address" });
  const [message] = sent.messages;
  deepEqual([message!.text, message!.priority, message!.author, message!.session_id], [
    "1 Main St",
    0,
    agent(ALICE),
    sent.state.session!.id,
  ]);
  deepEqual(texts(send({ preset: "Address" }, "es")), ["Calle 1"]);
  deepEqual(texts(send({ preset: "Address", language: "en" }, "es")), ["1 Main St"]);
  deepEqual(texts(send({ preset: "Address", language: "fr" })), ["1 Main St"]);
  const spanish = directoryWith({ language: "es" });
  deepEqual(texts(send({ preset: "Address" }, undefined, undefined, spanish)), ["Calle 1"]);
  deepEqual(texts(send({ preset: "Claim" }, undefined, QUEUE)), ["Your claim"]);
  deepEqual(codeOf(send({ preset: "Claim" })), [422, "unknown-preset"]);
  deepEqual(codeOf(send({ preset: "address" })), [422, "unknown-preset"]);
});

Deno.test("IC-2: a text of one's own only where that is allowed, overall or by the queue, and of 918 units at most", () => {
  const say = (text: string, directory: Directory, queueId?: string) => {
    const state = opened({ directory }, queueId ? { queueId } : {});
    const where = { directory, author: agent(ALICE) };
    const inCall = act(state, { kind: "send-in-call", callId: "c1", text }, where);
    const inSession = act(
      state,
      { kind: "send", sessionId: state.session!.id, text, priority: 0 },
      where,
    );
    deepEqual([texts(inSession), codeOf(inSession)], [texts(inCall), codeOf(inCall)]);
    return inCall;
  };
  const free = directoryWith({ freeText: true });
  deepEqual(codeOf(say("Hello", PLAIN)), [403, "presets-only"]);
  deepEqual(texts(say("Hello", free)), ["Hello"]);
  deepEqual(texts(say("Hello", directoryWith({}, { freeText: true }), QUEUE)), ["Hello"]);
  deepEqual(codeOf(say("Hello", directoryWith({ freeText: true }, { freeText: false }), QUEUE)), [
    403,
    "presets-only",
  ]);
  deepEqual(texts(say("x".repeat(918), free)), ["x".repeat(918)]);
  const { reply } = say("\u{1F600}".repeat(460), free);
  ok(reply?.ok === false);
  equal(reply.status, 422);
  equal(reply.detail, "the text has 920 UTF-16 units; a text during a call may have 918");
});

Deno.test("IC-2: nothing leaves a number for calls but during its caller's call, and not later", () => {
  const directory = directoryWith({ freeText: true });
  const where = { directory };
  const state = opened(where);
  const send = (from: ConversationState, more: Record<string, unknown> = {}) =>
    act(from, { kind: "send", text: "Hello", priority: 1, ...more }, where);
  deepEqual(codeOf(send(NEW_CONVERSATION)), [409, "no-call"]);
  deepEqual(texts(send(state)), ["Hello"]);
  deepEqual(codeOf(send(state, { sessionId: "ses_other" })), [409, "no-call"]);
  deepEqual(codeOf(send(state, { notBeforeMs: T0 + 60_000 })), [422, "not-now"]);
  const over = act(state, end("c1"), where).state;
  deepEqual(codeOf(send(over)), [409, "no-call"]);
  deepEqual(codeOf(act(over, { kind: "send-in-call", callId: "c1", preset: "Address" }, where)), [
    409,
    "call-ended",
  ]);
});

Deno.test("IC-3: a closing text in the call's language goes out when a call ends in which somebody wrote", () => {
  const directory = directoryWith(
    { closingText: { en: "Goodbye", es: "Hasta luego" } },
    { closingText: { en: "Claims says goodbye" } },
  );
  const where = { directory };
  const wrote = (more: Parameters<typeof call>[1]) => write(opened(where, more), "hi", where).state;
  const closed = act(wrote({ language: "es" }), end("c1"), where);
  const [text] = closed.messages;
  deepEqual([text!.text, text!.author, text!.session_id, closed.state.session], [
    "Hasta luego",
    { kind: "system", id: "call-closing" },
    closed.sessions[0]!.id,
    null,
  ]);
  deepEqual(texts(act(wrote({ queueId: QUEUE }), end("c1"), where)), ["Claims says goodbye"]);
  deepEqual(texts(act(opened(where), end("c1"), where)), [], "nobody wrote anything");
  const idle = wrote({});
  const timedOut = act(idle, { kind: "idle", sessionId: idle.session!.id }, {
    ...where,
    at: idle.session!.idle_ms,
  });
  deepEqual([timedOut.sessions[0]!.close_reason, texts(timedOut)], ["idle", []]);
});

Deno.test("IC-3: whoever writes after the end is answered once until the next call has ended, and opens no session", () => {
  const where = { directory: directoryWith({ autoReply: { en: "Please call", es: "Llame" } }) };
  let { state } = act(opened(where, { language: "es" }), end("c1"), where);
  const first = write(state, "are you there?", where);
  deepEqual(texts(first), ["are you there?", "Llame"]);
  deepEqual([first.sessions, first.messages.map(({ session_id }) => session_id)], [[], [null, null]]);
  const second = write(first.state, "hello?", where);
  deepEqual([texts(second), second.sessions], [["hello?"], []]);
  state = act(second.state, call("c2"), where).state;
  const during = write(state, "in the call", where);
  deepEqual([texts(during), during.messages[0]!.session_id], [["in the call"], state.session!.id]);
  state = act(during.state, end("c2"), where).state;
  deepEqual(texts(write(state, "me again", where)), ["me again", "Please call"]);
  const stranger = write(NEW_CONVERSATION, "who is this?", where);
  deepEqual(texts(stranger), ["who is this?", "Please call"]);
  deepEqual(texts(write(stranger.state, "hello?", where)), ["hello?"]);
});

Deno.test("IC-3: a contact who wants no messages gets none, and STOP after a call is no message to answer", () => {
  const where = {
    directory: directoryWith({ closingText: { en: "Bye" }, autoReply: { en: "Please call" } }),
  };
  const stopped = write(opened(where), "STOP", where);
  equal(stopped.messages.length, 2, "the STOP and its one confirmation");
  deepEqual(codeOf(act(stopped.state, { kind: "send-in-call", callId: "c1", preset: "Address" }, where)), [
    409,
    "opted-out",
  ]);
  const closed = act(stopped.state, end("c1"), where);
  deepEqual(texts(closed), []);
  deepEqual(texts(write(closed.state, "hello?", where)), ["hello?"]);
  const over = act(opened(where), end("c1"), where).state;
  const late = write(over, "STOP", where);
  deepEqual(late.messages.map(({ author }) => author?.id), [undefined, "opt-out"]);
});

Deno.test("IC-4: off as a whole, for a queue, or outside the United States: no call opens and no text leaves", () => {
  const off = directoryWith({ enabled: false, outsideUs: true }, { enabled: true });
  deepEqual(codeOf(act(NEW_CONVERSATION, call("c1"), { directory: off })), [403, "in-call-off"]);
  deepEqual(codeOf(act(NEW_CONVERSATION, call("c1", { queueId: QUEUE }), { directory: off })), [
    403,
    "in-call-off",
  ]);
  const offHere = directoryWith({}, { enabled: false });
  deepEqual(codeOf(act(NEW_CONVERSATION, call("c1", { queueId: QUEUE }), { directory: offHere })), [
    403,
    "in-call-off",
  ]);
  ok(act(NEW_CONVERSATION, call("c1"), { directory: offHere }).reply?.ok);
  const abroad = (contact: string, directory = PLAIN, queueId?: string) =>
    act(NEW_CONVERSATION, call("c1", queueId ? { queueId } : {}), { directory, contact });
  for (const contact of [CANADIAN, "+17875550177", "+4915112345678", "+15550001111"]) {
    deepEqual(codeOf(abroad(contact)), [403, "outside-us"], contact);
    ok(abroad(contact, directoryWith({ outsideUs: true })).reply?.ok, contact);
    ok(abroad(contact, directoryWith({}, { outsideUs: true }), QUEUE).reply?.ok, contact);
  }
  const during = opened();
  const preset = { kind: "send-in-call", callId: "c1", preset: "Address" } as const;
  deepEqual(codeOf(act(during, preset, { directory: off })), [403, "in-call-off"]);
  const said = directoryWith({ enabled: false, closingText: { en: "Bye" }, autoReply: { en: "Call" } });
  const wrote = write(during, "hi", { directory: said }).state;
  const closed = act(wrote, end("c1"), { directory: said });
  deepEqual([closed.sessions[0]!.state, texts(closed)], ["closed", []], "it ends all the same");
  deepEqual(texts(write(closed.state, "hi", { directory: said })), ["hi"]);
});

Deno.test("IC-5, CH-6: a number for calls opens no other session, and a call takes no other number", () => {
  deepEqual(codeOf(act(NEW_CONVERSATION, { kind: "open", extensionId: ALICE })), [409, "for-calls-only"]);
  deepEqual(codeOf(act(NEW_CONVERSATION, call("c1"), { number: TO_QUEUE })), [409, "not-for-calls"]);
  const rule = {
    id: "rul_1",
    name: "All",
    enabled: true,
    priority: 1,
    match: {},
    action: { destination: { kind: "extension" as const, id: ALICE }, text: { en: "A rule says" } },
  };
  const directory = directoryWith({}, {}, { rules: inOrder([rule]) });
  const { state, messages, sessions } = write(NEW_CONVERSATION, "hello", { directory });
  deepEqual([state.session, messages.length, sessions.length], [null, 1, 0]);
  deepEqual(codeOf(act(NEW_CONVERSATION, call("c1", { extensionId: "ext_x" }))), [422, "unknown-extension"]);
  deepEqual(codeOf(act(NEW_CONVERSATION, call("c1", { queueId: "mq_x" }))), [422, "unknown-queue"]);
});

Deno.test("CH-7: what comes to a number that only sends is kept and opens no session", () => {
  const only: OwnNumber = { ...TO_QUEUE, direction: "outbound" };
  const directory = { ...DIRECTORY, numbersByAddress: new Map([[only.number, only]]) };
  const { state, messages } = write(NEW_CONVERSATION, "hello", { directory, number: only });
  deepEqual([state.session, messages.length], [null, 1]);
});

Deno.test("IN-3: files of callers are limited to the types set for calls, within those of the channel", () => {
  const file = { media: [{ url: "https://files.example/1" }] };
  const typesOf = (inCall: Record<string, unknown>, channelTypes: string[]) => {
    const channel = {
      ...CHANNEL,
      settings: { ...CHANNEL.settings, media: { ...CHANNEL.settings.media, types: channelTypes } },
    };
    const directory = directoryWith(inCall, {}, { channels: new Map([[channel.id, channel]]) });
    return write(opened(), "look", { directory }, file).media.map(({ types }) => types);
  };
  deepEqual(typesOf({}, []), [["image/jpeg", "image/png", "image/gif", "video/*"]]);
  deepEqual(typesOf({}, ["image/*", "application/pdf", "video/mp4"]), [[
    "image/jpeg",
    "image/png",
    "image/gif",
    "video/mp4",
  ]]);
  deepEqual(typesOf({ mediaTypes: ["application/pdf"] }, []), [["application/pdf"]]);
  deepEqual(typesOf({ mediaTypes: [] }, ["image/png"]), [null]);
  deepEqual(typesOf({ mediaTypes: ["image/*"] }, ["application/pdf"]), []);
  const chat = write(NEW_CONVERSATION, "look", { number: TO_QUEUE }, file);
  deepEqual(chat.media.map(({ types }) => types), [null]);
});

/** What may happen on one line between our number and a caller. */
const step = fc.oneof(
  fc.record({ do: fc.constant("call" as const), id: fc.constantFrom("c1", "c2", "c3"), at: fc.nat(3) }),
  fc.record({ do: fc.constant("end" as const), id: fc.constantFrom("c1", "c2", "c3"), at: fc.nat(3) }),
  fc.record({
    do: fc.constant("write" as const),
    text: fc.constantFrom("hi", "STOP", "START"),
    at: fc.nat(3),
  }),
  fc.record({ do: fc.constant("preset" as const), id: fc.constantFrom("c1", "c2", "c3"), at: fc.nat(3) }),
  fc.record({ do: fc.constant("close" as const), at: fc.nat(3) }),
);

Deno.test("IC-1, IC-3, IC-5: whatever happens, sessions belong to calls and are one at a time, and each end is answered once", () => {
  const where = {
    directory: directoryWith({ closingText: { en: "Bye" }, autoReply: { en: "Please call" } }),
  };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let state = NEW_CONVERSATION;
      let at = T0;
      let repliesSinceCall = 0;
      for (const one of steps) {
        at += one.at;
        const now = { ...where, at };
        const before = state;
        const decision = one.do === "call"
          ? act(state, call(one.id), now)
          : one.do === "end"
          ? act(state, end(one.id), now)
          : one.do === "preset"
          ? act(state, { kind: "send-in-call", callId: one.id, preset: "Address" }, now)
          : one.do === "close"
          ? act(state, { kind: "close", sessionId: state.session?.id ?? "ses_none" }, now)
          : write(state, one.text, now);
        state = decision.state;
        ok(decision.sessions.every(({ kind }) => kind === "call"));
        ok(state.session === null || state.session.state === "active");
        if (state.session !== null && state.session.id !== before.session?.id) {
          equal(one.do, "call", "nothing but a call opens a session");
          repliesSinceCall = 0;
        }
        const said = decision.messages.filter(({ author }) => author?.kind === "system");
        const replies = said.filter(({ author }) => author?.id === "call-auto-reply");
        repliesSinceCall += replies.length;
        ok(repliesSinceCall <= 1, "one answer for each end");
        ok(replies.length === 0 || state.session === null);
        const closings = said.filter(({ author }) => author?.id === "call-closing");
        ok(closings.length === 0 || (closings.length === 1 && decision.sessions.length === 1));
        // The gate is not relied upon: what a contact does not want is not even written.
        if (before.optedOut === true && state.optedOut === true) {
          deepEqual(decision.messages.filter(({ direction }) => direction === "outbound"), []);
        }
        ok(
          decision.messages.every(({ direction, author, session_id }) =>
            direction === "inbound" || author?.kind === "system" || session_id === before.session?.id
          ),
        );
      }
    }),
    { numRuns: 500 },
  );
});
