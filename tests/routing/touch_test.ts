/** What is written beside the state, and the state that comes of it. */
import { deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import type { ConversationRow } from "../../core/ports/conversation_store.ts";
import { NEW_CONVERSATION } from "../../routing/conversation.ts";
import { withTouches } from "../../routing/touch.ts";
import { batches, WrittenConversation } from "../support/conversation_batches.ts";

const T0 = 1_800_000_000_000;

function storedOf({ state, position, last_activity_ms, idle_ms }: ConversationRow) {
  return { state, position, lastActivityMs: last_activity_ms, idleMs: idle_ms };
}

Deno.test("what is stored always says what the process knows, and mostly without the state", () => {
  let rows = 0;
  let touches = 0;
  fc.assert(
    fc.property(batches, (life) => {
      const conversation = new WrittenConversation(T0, 1);
      let row: ConversationRow | null = null;
      for (const batch of life) {
        for (const written of conversation.write(batch).conversations) {
          rows++;
          if (written.state === null) touches++;
          ok(row !== null || written.state !== null, "the first row has a state");
          row = { ...written, state: written.state ?? row!.state };
        }
        deepEqual(row === null ? NEW_CONVERSATION : withTouches(storedOf(row)), conversation.state);
      }
    }),
    { numRuns: 2_000 },
  );
  ok(touches > rows / 10, `${touches} of ${rows}`);
});

Deno.test("a second message only touches; a move writes the whole state", () => {
  const conversation = new WrittenConversation(T0, 1);
  const say = (text: string) => () => ({ kind: "inbound" as const, text });
  const statesOf = (inputs: Parameters<typeof conversation.write>[0]) =>
    conversation.write(inputs).conversations.map(({ state, position }) => [state !== null, position]);
  deepEqual(statesOf([say("one")]), [[true, 1]]);
  deepEqual(statesOf([say("two"), say("three")]), [[false, 3]]);
  // STOP is confirmed.
  deepEqual(statesOf([say("STOP"), say("four")]), [[true, 6]]);
  deepEqual(conversation.state.optedOut, true);
});
