import { deepEqual, equal } from "node:assert/strict";
import type { Directory } from "../../core/directory.ts";
import { type ConversationEntry, packEntries } from "../../core/entry.ts";
import {
  type ConversationCommit,
  type ConversationStore,
  type SeenRow,
  UnstorableError,
} from "../../core/ports/conversation_store.ts";
import type { LogMessage } from "../../core/ports/partition_log.ts";
import { ConversationApplier } from "../../routing/conversation_applier.ts";
import { CHANNEL, DIRECTORY, TO_QUEUE } from "./directory.ts";

const AT = 1_700_000_000_000;

class MemoryStore implements ConversationStore {
  readonly commits: ConversationCommit[] = [];
  readonly seen = new Map<string, SeenRow["result"]>();

  /** Keys that were asked for. */
  asked = 0;

  load(_conversations: readonly string[], keys: readonly string[]) {
    this.asked += keys.length;
    const seen = new Map([...this.seen].filter(([key]) => keys.includes(key)));
    return Promise.resolve({ conversations: new Map(), seen });
  }

  commit(commit: ConversationCommit): Promise<"committed"> {
    const repeated = commit.seen.find(({ key }) => this.seen.has(key));
    if (repeated !== undefined) return Promise.reject(new UnstorableError(repeated.key));
    this.commits.push(commit);
    for (const { key, result } of commit.seen) this.seen.set(key, result);
    return Promise.resolve("committed");
  }

  rehearse(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

/** `known` at first; {@link DIRECTORY}, as version 4, once it was looked for. */
function setUp(known: Directory = DIRECTORY) {
  const store = new MemoryStore();
  let directory = known;
  let refreshed = 0;
  const applier = new ConversationApplier({
    store,
    directory: {
      current: () => directory,
      onChange: () => () => {},
      refresh: () => {
        refreshed++;
        directory = { ...DIRECTORY, version: 4 };
        return Promise.resolve();
      },
    },
    epochOf: () => 1,
    shard: () => 0,
    streamOf: (partition) => `IN_${partition}`,
    onQueued: () => {},
    hasDispatcher: true,
    onDeadLetter: () => {},
    contacts: { ofContacts: () => Promise.resolve(new Map()) },
    languageDetector: () => Promise.resolve(() => null),
    now: () => AT,
  });
  return {
    store,
    refreshed: () => refreshed,
    apply: (...batch: LogMessage[]) => applier.apply(batch, new Map()),
  };
}

function inbound(key: string): ConversationEntry {
  const { number } = TO_QUEUE;
  return { kind: "inbound", key, at: AT, channelId: CHANNEL.id, number, contact: "+12025550001", text: key };
}

function message(sequence: number, payload: string): LogMessage {
  return { partition: 0, sequence, data: new TextEncoder().encode(payload), stored: `${sequence}00` };
}

function pack(sequence: number, ...entries: ConversationEntry[]): LogMessage {
  return message(sequence, packEntries(entries.map((entry) => JSON.stringify(entry))));
}

Deno.test("ConversationApplier applies a contact's message once, however often and wherever it is repeated", async () => {
  const { store, apply } = setUp();
  await apply(pack(1, inbound("a"), inbound("a"), inbound("b")), pack(2, inbound("a"), inbound("b")));
  await apply(pack(3, inbound("b"), inbound("c"), inbound("c")));
  deepEqual(store.commits.flatMap((commit) => commit.messages.map(({ text }) => text)), ["a", "b", "c"]);
  deepEqual(store.commits.flatMap((commit) => commit.statistics.map(({ received }) => received)), [2, 1]);
  deepEqual(store.commits.flatMap((commit) => commit.seen.map(({ key }) => key)), ["a", "b", "c"]);
});

Deno.test("ConversationApplier takes a few entries of known conversations for new, and asks when they are not", async () => {
  const { store, apply } = setUp();
  await apply(pack(1, inbound("a")));
  equal(store.asked, 1, "nothing is known of the conversation");
  await apply(pack(2, inbound("b")), pack(3, inbound("c")));
  equal(store.asked, 1);
  await apply(pack(4, inbound("d"), inbound("b"), inbound("d")));
  equal(store.asked, 3);
  const texts = store.commits.flatMap((commit) => commit.messages.map(({ text }) => text));
  deepEqual(texts, ["a", "b", "c", "d"]);
  await apply(pack(5, ..."efghijklm".split("").map(inbound)));
  equal(store.asked, 3 + 9, "of so many, one is a repeat too often");
});

Deno.test("ConversationApplier answers a repeated command as it did the first time, though it would be refused now", async () => {
  const { store, apply } = setUp();
  await apply(pack(1, inbound("a")));
  const sessionId = store.commits[0]!.sessions[0]!.id;
  const close: ConversationEntry = {
    kind: "command",
    key: "close",
    at: AT,
    number: TO_QUEUE.number,
    contact: "+12025550001",
    author: { kind: "key", id: "key_1" },
    command: { kind: "close", sessionId },
    replyTo: "inbox",
  };
  await apply(pack(2, close));
  await apply(pack(3, close));
  await apply(pack(4, { ...close, key: "again" }));
  const replies = store.commits.flatMap(({ outbox }) =>
    outbox.flatMap(({ payload }) => payload.replies ?? [])
  );
  deepEqual(replies.map(({ body }) => body.ok), [true, true, false]);
  equal(store.commits.flatMap(({ sessions }) => sessions).length, 2, "opened, closed");
});

Deno.test("ConversationApplier buries what it cannot read in a form that can be stored, and goes on behind it", async () => {
  const { store, apply } = setUp();
  await apply(message(1, "\0 no JSON \0"), pack(2, inbound("behind")));
  const [commit] = store.commits;
  deepEqual(commit!.messages.map(({ text }) => text), ["behind"]);
  const [letter] = commit!.deadLetters;
  equal(letter!.kind, "undecodable");
  equal(letter!.payload, " no JSON ");
  equal(letter!.reason.includes("\0"), false);
  const { cursor, stored } = commit!.partitions[0]!;
  deepEqual([cursor, stored], [2, "200"]);
});

Deno.test("ConversationApplier looks for a newer configuration before it applies what was taken under one", async () => {
  const { store, apply, refreshed } = setUp({ ...DIRECTORY, numbersByAddress: new Map(), version: 3 });
  const entry = JSON.stringify(inbound("a"));
  await apply(message(1, packEntries([entry], 3)));
  const buried = () => store.commits.flatMap(({ deadLetters }) => deadLetters).length;
  deepEqual([refreshed(), buried()], [0, 1], "nobody knew the number");
  const newer = JSON.stringify(inbound("b"));
  await apply(message(2, packEntries([newer], 4)));
  deepEqual([refreshed(), buried(), store.seen.has("b")], [1, 1, true]);
  await apply(message(3, packEntries([JSON.stringify(inbound("c"))], 4)), message(4, packEntries([entry])));
  equal(refreshed(), 1, "once it is known");
});
