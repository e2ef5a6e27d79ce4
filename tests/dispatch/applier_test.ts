import { deepEqual, equal } from "node:assert/strict";
import { DispatchApplier } from "../../core/dispatch/dispatch_applier.ts";
import { Dispatcher } from "../../core/dispatch/dispatcher.ts";
import type { DispatchEntry } from "../../core/dispatch/entry.ts";
import { packEntries } from "../../core/entry.ts";
import type { DispatchCommit } from "../../core/ports/dispatch_store.ts";
import { DIRECTORY, QUEUE } from "../routing/directory.ts";
import { waiting } from "./world.ts";

const T0 = 1_800_000_000_000;

function setUp() {
  const commits: DispatchCommit[] = [];
  let loads = 0;
  const applier = new DispatchApplier({
    store: {
      load: () => {
        loads++;
        return Promise.resolve({ sessions: [], agents: [], queues: [] });
      },
      commit: (commit) => {
        commits.push(commit);
        return Promise.resolve("committed");
      },
      findMissed: () => Promise.resolve([]),
    },
    directory: { current: () => DIRECTORY, onChange: () => () => {} },
    epochOf: () => 1,
    streamOf: () => "DISPATCH_00",
    onDeadLetter: () => {},
    onDue: () => {},
    onDecided: () => {},
    now: () => T0,
  });
  const apply = (...entries: DispatchEntry[]) => {
    const data = new TextEncoder().encode(packEntries(entries.map((entry) => JSON.stringify(entry))));
    return applier.apply([{ partition: 0, sequence: 1, stored: "1", data }], new Map());
  };
  return { commits, apply, loads: () => loads };
}

Deno.test("DispatchApplier sets aside what cannot be applied, with nothing of it, and goes on with the others", async () => {
  const { commits, apply, loads } = setUp();
  const sound = Dispatcher.prototype.apply;
  Dispatcher.prototype.apply = function (entry) {
    const outcome = sound.call(this, entry);
    if (entry.kind === "session" && entry.sessionId === "ses_poison") throw new Error("half done");
    return outcome;
  };
  try {
    const { kind } = await apply(...["ses_1", "ses_poison", "ses_2"].map((id) => waiting(id, QUEUE, T0)));
    equal(kind, "committed");
  } finally {
    Dispatcher.prototype.apply = sound;
  }
  const [{ changes, deadLetters }] = commits as [DispatchCommit];
  deepEqual(changes.sessions.map(({ id }) => id).sort(), ["ses_1", "ses_2"]);
  deepEqual(deadLetters.map(({ kind, reason }) => [kind, reason]), [["poisoned", "half done"]]);
  equal(loads(), 2, "what was half done is forgotten");
});
