import { deepEqual } from "node:assert/strict";
import { mayHear } from "../../adapters/http/runtime/event_audience.ts";
import type { ApiKey } from "../../core/directory.ts";
import { type Audience, EVENT_TYPES, type EventType, toCloudEvent } from "../../core/events.ts";
import { ALICE, BOB, CAROL, DIRECTORY, PLATFORM, QUEUE } from "../routing/directory.ts";
import { testEvent } from "../support/nats.ts";

const key = (role: ApiKey["role"], extensionId: string | null = null, platformId: string | null = null) => ({
  role,
  extensionId,
  platformId,
});

const LISTENERS = {
  administrator: key("administrator"),
  supervisor: key("supervisor"),
  reader: key("read-only"),
  alice: key("agent", ALICE),
  carol: key("agent", CAROL),
  bot: key("platform", null, PLATFORM),
  nobody: key("agent"),
};

/** Who hears, besides those who hear everything. */
function hear(type: EventType, audience: Audience, data: Record<string, unknown> = {}): string[] {
  const event = toCloudEvent(testEvent(1, { type, audience, data }));
  return Object.entries(LISTENERS).filter(([, listener]) => mayHear(listener, event, DIRECTORY))
    .map(([name]) => name).slice(3);
}

Deno.test("mayHear: administrators, supervisors and readers hear everything", () => {
  for (const type of EVENT_TYPES) {
    const event = toCloudEvent(testEvent(1, { type }));
    const heard = Object.entries(LISTENERS).filter(([, listener]) => mayHear(listener, event, DIRECTORY));
    deepEqual(heard.map(([name]) => name), ["administrator", "supervisor", "reader"]);
  }
});

Deno.test("mayHear: an agent hears everything about what its extension holds", () => {
  for (const type of EVENT_TYPES) deepEqual(hear(type, { extensionId: ALICE }), ["alice"]);
});

Deno.test("mayHear: members hear what waits in their queue, and that it is gone", () => {
  const waiting = { queueId: QUEUE };
  deepEqual(hear("message.received", waiting), ["alice"]);
  deepEqual(hear("session.offered", waiting), ["alice"]);
  deepEqual(hear("session.closed", waiting), ["alice"]);
  deepEqual(hear("message.queued", waiting), []);
  const accepted = { queueId: QUEUE, extensionId: BOB };
  deepEqual(hear("session.assigned", accepted), ["alice"]);
  deepEqual(hear("message.received", accepted), [], "from here on it is Bob's");
  deepEqual(hear("session.offered", { queueId: "mq_of_others" }), []);
});

Deno.test("mayHear: whoever a session is taken from hears of it", () => {
  const to = { extensionId: CAROL };
  deepEqual(hear("session.transferred", to, { from: { kind: "extension", id: ALICE } }), ["alice", "carol"]);
  deepEqual(hear("session.transferred", to, { from: { kind: "platform", id: PLATFORM } }), ["carol", "bot"]);
  deepEqual(hear("session.transferred", to, { from: null }), ["carol"]);
  deepEqual(hear("session.closed", to, { from: { kind: "extension", id: ALICE } }), ["carol"]);
});

Deno.test("mayHear: a platform hears of its own sessions only", () => {
  for (const type of EVENT_TYPES) deepEqual(hear(type, { platformId: PLATFORM }), ["bot"]);
  deepEqual(hear("message.received", { platformId: "plt_of_others" }), []);
});
