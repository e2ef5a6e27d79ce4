/**
 * One conversation's life in batches, as the applier writes them: generated inputs, and the commits that come of them.
 *
 * @module
 */
import fc from "fast-check";
import type { CommandEntry, ConversationEntry } from "../../core/entry.ts";
import { conversationId } from "../../core/ids.ts";
import type { ConversationCommit } from "../../core/ports/conversation_store.ts";
import { BatchDraft } from "../../routing/batch_draft.ts";
import { type ConversationState, decide, NEW_CONVERSATION } from "../../routing/conversation.ts";
import { BOB, CHANNEL, DIRECTORY, TO_QUEUE } from "../routing/directory.ts";

export const PARTITION = 3;
const { number } = TO_QUEUE;
const CONTACT = "+14155550177";
const STEP_MS = 1_000;

type Say = (state: ConversationState) => Partial<ConversationEntry>;

const command =
  (author: CommandEntry["author"], make: (sessionId: string, version: number) => object): Say => (state) => ({
    kind: "command",
    author,
    command: make(state.session?.id ?? "ses_none", state.session?.version ?? 0) as CommandEntry["command"],
  });

const BY_BOB: CommandEntry["author"] = { kind: "extension", id: BOB };
const BY_DISPATCHER: CommandEntry["author"] = { kind: "system", id: "dispatcher" };
const BY_KEY: CommandEntry["author"] = { kind: "key", id: "key_1" };
const MEDIA = [{ url: "https://media.example/1.png", contentType: "image/png" }];

const inputs: fc.Arbitrary<Say> = fc.oneof(
  { weight: 5, arbitrary: fc.string({ minLength: 1 }).map((text): Say => () => ({ kind: "inbound", text })) },
  fc.constant<Say>(() => ({ kind: "inbound", text: "look", media: MEDIA })),
  fc.constant<Say>(() => ({ kind: "inbound", text: "STOP" })),
  fc.constant(command(BY_KEY, (sessionId) => ({ kind: "send", sessionId, text: "hi", priority: 0 }))),
  fc.constant(command(BY_BOB, (sessionId) => ({ kind: "accept", sessionId, extensionId: BOB }))),
  fc.constant(command(BY_BOB, (sessionId) => ({ kind: "send", sessionId, text: "yes", priority: 0 }))),
  fc.constant(command(BY_BOB, (sessionId) => ({ kind: "tag", sessionId, add: ["vip"], remove: [] }))),
  fc.constant(command(BY_BOB, (sessionId) => ({ kind: "note", sessionId, text: "calls back" }))),
  fc.constant(command(BY_BOB, (sessionId) => ({ kind: "close", sessionId }))),
  fc.constant(command(BY_KEY, () => ({ kind: "opt-in", source: "api" }))),
  fc.constant(
    command(BY_DISPATCHER, (sessionId, version) => ({ kind: "take-back", sessionId, version, close: false })),
  ),
);

/** What comes in, batch by batch. */
export const batches: fc.Arbitrary<readonly (readonly Say[])[]> = fc.array(
  fc.array(inputs, { minLength: 1, maxLength: 4 }),
  { minLength: 1, maxLength: 8 },
);

/** The one conversation, written batch by batch. */
export class WrittenConversation {
  readonly id = conversationId(number, CONTACT);
  /** As the process that applies it knows it. */
  state = NEW_CONVERSATION;
  #sequence = 0;
  #atMs: number;

  constructor(startMs: number, private readonly epoch: number) {
    this.#atMs = startMs;
  }

  /** What a batch of `inputs` writes. */
  write(inputs: readonly Say[]): ConversationCommit {
    const sequence = ++this.#sequence;
    const draft = new BatchDraft(
      {
        directory: { current: () => DIRECTORY, onChange: () => () => {} },
        epochOf: () => this.epoch,
        shard: () => 0,
        streamOf: () => "IN_3",
        hasDispatcher: true,
        now: () => this.#atMs,
      },
      [{ partition: PARTITION, sequence, stored: `${sequence}`, data: new Uint8Array() }],
      new Map(),
    );
    for (const [index, say] of inputs.entries()) {
      this.#atMs += STEP_MS;
      const before = draft.states.get(this.id) ?? this.state;
      const entry = {
        key: `${sequence}.${index}`,
        at: this.#atMs,
        channelId: CHANNEL.id,
        number,
        contact: CONTACT,
        ...say(before),
      } as ConversationEntry;
      const position = { partition: PARTITION, sequence, entry: index };
      draft.add(position, this.id, entry, before, decide(before, entry, { directory: DIRECTORY, position }));
    }
    this.state = draft.states.get(this.id) ?? this.state;
    return draft.commit;
  }
}
