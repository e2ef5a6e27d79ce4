import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { Directory, Platform } from "../../core/directory.ts";
import type { Command } from "../../core/entry.ts";
import { type ConversationState, decide, NEW_CONVERSATION } from "../../routing/conversation.ts";
import { ALICE, CHANNEL, DIRECTORY, PLATFORM, QUEUE, TO_PLATFORM } from "./directory.ts";

const CONTACT = "+14155550999";
const START = 1_767_000_000_000;
const DEADLINE = 120;

function withPlatform(fields: Partial<Platform>): Directory {
  const platform = { ...DIRECTORY.platforms.get(PLATFORM)!, ...fields };
  return { ...DIRECTORY, platforms: new Map([[PLATFORM, platform]]) };
}

const LIMITED = withPlatform({ deadlineSeconds: DEADLINE, fallback: { kind: "queue", id: QUEUE } });

/** One conversation with a number that leads to the platform. */
class Conversation {
  state: ConversationState = NEW_CONVERSATION;
  #sequence = 0;

  constructor(public directory: Directory = LIMITED) {}

  #apply(entry: Parameters<typeof decide>[1]) {
    const position = { partition: 0, sequence: ++this.#sequence, entry: 0 };
    const decision = decide(this.state, entry, { directory: this.directory, position });
    this.state = decision.state;
    return decision;
  }

  contactWrites(at: number) {
    const { number } = TO_PLATFORM;
    return this.#apply({
      kind: "inbound",
      key: `in ${at}`,
      at,
      channelId: CHANNEL.id,
      number,
      contact: CONTACT,
      text: "hello",
    });
  }

  command(at: number, command: Command, author = { kind: "system", id: "hold" } as const) {
    return this.#apply({
      kind: "command",
      key: `command ${at}`,
      at,
      number: TO_PLATFORM.number,
      contact: CONTACT,
      author,
      command,
    });
  }

  platformWrites(at: number) {
    const author = { kind: "platform", id: PLATFORM } as never;
    return this.command(at, { kind: "send", sessionId: this.session.id, text: "hi", priority: 0 }, author);
  }

  timer(at: number) {
    return this.command(at, { kind: "platform-overdue", sessionId: this.session.id });
  }

  get session() {
    return this.state.session!;
  }
}

const holdOf = ({ state }: Conversation) => state.hold;

const after = (seconds: number) => START + seconds * 1_000;

Deno.test("RT-15: a platform that does not answer in time loses the session to the fallback, and hears of it", () => {
  const conversation = new Conversation();
  conversation.contactWrites(START);
  equal(conversation.session.state, "platform");
  equal(conversation.state.hold?.untilMs, after(DEADLINE));
  deepEqual(conversation.timer(after(DEADLINE) - 1).sessions, [], "a timer that is early changes nothing");
  const { sessions, events, dispatch } = conversation.timer(after(DEADLINE));
  const [session] = sessions;
  deepEqual([session!.state, session!.queue_id, session!.platform_id], ["waiting", QUEUE, null]);
  deepEqual(session!.history.at(-1), {
    state: "waiting",
    at: new Date(after(DEADLINE)).toISOString(),
    by: "system",
    note: "platform-deadline",
  });
  deepEqual(events.map(({ type }) => type), ["session.transferred", "session.offered"]);
  const [transferred] = events;
  deepEqual(transferred!.data.reason, "platform-deadline");
  deepEqual(transferred!.data.from, { kind: "platform", id: PLATFORM });
  equal(transferred!.audience.platformId, PLATFORM, "it is told that it has it no more");
  equal(events[1]!.audience.platformId, null, "and nothing after that");
  equal(dispatch.length, 1, "the dispatcher learns of a session that people serve");
  equal(conversation.state.hold, undefined);
  deepEqual(conversation.timer(after(DEADLINE) + 1).sessions, [], "once");
});

Deno.test("RT-15: an answer stops the time; it counts again from the first message that has none", () => {
  const conversation = new Conversation();
  conversation.contactWrites(START);
  conversation.platformWrites(after(100));
  equal(conversation.state.hold?.untilMs, null);
  deepEqual(conversation.timer(after(1_000)).sessions, []);
  conversation.contactWrites(after(2_000));
  conversation.contactWrites(after(2_100));
  equal(conversation.state.hold?.untilMs, after(2_000 + DEADLINE), "from the first");
  equal(conversation.timer(after(2_000 + DEADLINE)).sessions[0]!.queue_id, QUEUE);
});

Deno.test("RT-15: the time to hold ends however well the platform answers", () => {
  const conversation = new Conversation(
    withPlatform({ holdSeconds: 600, fallback: { kind: "extension", id: ALICE } }),
  );
  conversation.contactWrites(START);
  conversation.platformWrites(after(599));
  deepEqual(conversation.timer(after(599)).sessions, []);
  const { sessions, events } = conversation.timer(after(600));
  deepEqual([sessions[0]!.state, sessions[0]!.extension_id], ["active", ALICE]);
  equal(events[0]!.data.reason, "platform-hold-over");
});

Deno.test("RT-15: a platform that is switched off loses its sessions at once; new ones go to its fallback", () => {
  const conversation = new Conversation(withPlatform({ fallback: { kind: "queue", id: QUEUE } }));
  conversation.contactWrites(START);
  equal(conversation.state.hold?.untilMs, null);
  conversation.directory = withPlatform({ enabled: false, fallback: { kind: "queue", id: QUEUE } });
  const { sessions, events } = conversation.timer(START + 1);
  equal(sessions[0]!.queue_id, QUEUE);
  equal(events[0]!.data.reason, "platform-off");
  const next = new Conversation(conversation.directory);
  next.contactWrites(START);
  deepEqual([next.session.state, next.session.queue_id], ["waiting", QUEUE]);
});

Deno.test("RT-15: without a fallback, or with one that is gone, the session waits for anyone", () => {
  for (const fallback of [null, { kind: "queue", id: "mq_gone" } as const]) {
    const conversation = new Conversation(withPlatform({ deadlineSeconds: 1, fallback }));
    conversation.contactWrites(START);
    const [session] = conversation.timer(after(1)).sessions;
    deepEqual([session!.state, session!.queue_id, session!.extension_id], ["waiting", null, null]);
  }
});

Deno.test("RT-15: limits that were changed meanwhile count when the timer asks", () => {
  const conversation = new Conversation();
  conversation.contactWrites(START);
  conversation.directory = withPlatform({ deadlineSeconds: 1_000 });
  const { sessions } = conversation.timer(after(DEADLINE));
  deepEqual(sessions, []);
  equal(
    conversation.state.hold?.untilMs,
    after(1_000),
    "so that it is asked again then, and not all the time",
  );
});

Deno.test("RT-15: a transfer to a platform begins a hold, one away from it ends it", () => {
  const conversation = new Conversation();
  conversation.contactWrites(START);
  const { id: sessionId } = conversation.session;
  conversation.command(after(10), { kind: "transfer", sessionId, to: { kind: "queue", id: QUEUE } });
  ok(conversation.state.hold === undefined);
  conversation.command(after(50), { kind: "transfer", sessionId, to: { kind: "platform", id: PLATFORM } });
  equal(holdOf(conversation)?.untilMs, after(50 + DEADLINE), "from when it got it, written to or not");
});

Deno.test("RT-15: whatever comes when, the platform loses the session when, and only when, its time is over", () => {
  const steps = fc.array(
    fc.record({
      wait: fc.integer({ min: 1, max: 300 }),
      who: fc.constantFrom("contact", "platform", "timer"),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, fc.option(fc.integer({ min: 1, max: 2_000 }), { nil: null }), (list, holdSeconds) => {
      const conversation = new Conversation(
        withPlatform({ deadlineSeconds: DEADLINE, holdSeconds, fallback: { kind: "queue", id: QUEUE } }),
      );
      conversation.contactWrites(START);
      let at = 0;
      let owed = 0 as number | null;
      for (const { wait, who } of list) {
        at += wait;
        if (who === "contact") {
          conversation.contactWrites(after(at));
          owed ??= at;
        } else if (who === "platform") {
          conversation.platformWrites(after(at));
          owed = null;
        } else {
          const isOver: boolean = (owed !== null && at >= owed + DEADLINE) ||
            (holdSeconds !== null && at >= holdSeconds);
          equal(conversation.timer(after(at)).sessions.length, isOver ? 1 : 0);
          if (isOver) return;
        }
        ok(conversation.state.hold !== undefined);
        const dues: number[] = [
          ...(owed === null ? [] : [owed + DEADLINE]),
          ...(holdSeconds === null ? [] : [holdSeconds]),
        ];
        equal(conversation.state.hold.untilMs, dues.length === 0 ? null : after(Math.min(...dues)));
      }
    }),
  );
});
