import { deepEqual } from "node:assert/strict";
import { Dispatcher } from "../../core/dispatch/dispatcher.ts";
import type { DispatchSettings } from "../../core/dispatch/snapshot.ts";
import { DEFAULT_DISTRIBUTION, DEFAULT_OVERALL_DISTRIBUTION } from "../../core/dispatch/settings.ts";
import { waiting } from "./world.ts";

const T0 = 1_800_000_000_000;

function dispatcher(tellsWaiting: boolean): Dispatcher {
  const settings: DispatchSettings = {
    key: "1",
    queues: new Map([["mq_1", {
      settings: { ...DEFAULT_DISTRIBUTION, maxWaiting: 2 },
      members: new Set(["ext_1"]),
      tellsWaiting,
    }]]),
    agents: new Map(),
    overall: DEFAULT_OVERALL_DISTRIBUTION,
  };
  return new Dispatcher({ sessions: [], agents: [], queues: [] }, settings);
}

Deno.test("RT-7: whoever comes to a line is told the place in it; whoever comes to a full one is let go", () => {
  const subject = dispatcher(true);
  const come = (id: string) =>
    subject.apply(waiting(id, "mq_1", T0)).notices.map(({ command: { text, position, close } }) => [
      text,
      position,
      close,
    ]);
  deepEqual(come("ses_1"), [["waiting", 1, undefined]]);
  deepEqual(come("ses_2"), [["waiting", 2, undefined]]);
  deepEqual(come("ses_3"), [["queue-full", undefined, true]]);
  // A fact that is repeated is no news.
  deepEqual(come("ses_2"), []);
  // Its conversation let it go, and another one left: there is room again.
  subject.apply({ ...waiting("ses_3", "mq_1", T0), version: 2, state: "closed" });
  subject.apply({ ...waiting("ses_1", "mq_1", T0), version: 2, state: "closed" });
  deepEqual(come("ses_4"), [["waiting", 2, undefined]]);
});

Deno.test("RT-7: where a queue has no text for it, nobody is asked to say one", () => {
  deepEqual(dispatcher(false).apply(waiting("ses_1", "mq_1", T0)).notices, []);
});
