import { deepEqual, equal, ok } from "node:assert/strict";
import { asyncApiDocument } from "../../core/asyncapi/document.ts";
import { eventSchema } from "../../core/asyncapi/event_schemas.ts";
import { EVENT_TYPES, type PatchbayEvent, toCloudEvent } from "../../core/events.ts";
import { mediaEvent } from "../../core/media/media_event.ts";
import { messageEvent } from "../../core/message_event.ts";
import { decide, NEW_CONVERSATION } from "../../routing/conversation.ts";
import { ALICE, CHANNEL, DIRECTORY, QUEUE, TO_PLATFORM } from "../routing/directory.ts";

const DOCUMENT = asyncApiDocument({ version: "1.2.3", namespace: "patchbay" });

// deno-lint-ignore no-explicit-any
const at = (path: string): any =>
  path.split("/").reduce<unknown>((value, name) => (value as Record<string, unknown>)?.[name], DOCUMENT);

function* references(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === "$ref") yield String(inner);
    else yield* references(inner);
  }
}

Deno.test("OP-3: the AsyncAPI document names every event and request, and all its references lead somewhere", () => {
  equal(DOCUMENT.asyncapi, "3.0.0");
  for (const type of EVENT_TYPES) {
    deepEqual(at(`components/messages/${type}`).payload.properties.type.const, type);
    ok(at(`channels/events/messages/${type}`) && at(`channels/platformEvents/messages/${type}`), type);
  }
  deepEqual(
    Object.keys(at("channels/platformRequests/messages")).map((name) => name.replace("request.", "")),
    ["reply", "route", "close", "tag", "follow"],
  );
  equal(at("channels/platformRequests/address"), "patchbay.platform.{platformId}.command");
  const all = [...references(DOCUMENT)];
  ok(all.length > 2 * EVENT_TYPES.length);
  for (const reference of all) ok(at(reference.slice(2)) !== undefined, reference);
  for (const [name, channel] of Object.entries<Record<string, string>>(at("channels"))) {
    const named = [...(channel.address ?? "").matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    deepEqual(named, Object.keys(channel.parameters ?? {}), name);
  }
});

Deno.test("OP-3: events are as the document says", () => {
  const events: PatchbayEvent[] = [];
  let state = NEW_CONVERSATION;
  let sequence = 0;
  const apply = (entry: Parameters<typeof decide>[1]) => {
    const position = { partition: 0, sequence: ++sequence, entry: 0 };
    const decision = decide(state, entry, { directory: DIRECTORY, position });
    state = decision.state;
    events.push(...decision.events);
    return decision;
  };
  const where = { number: TO_PLATFORM.number, contact: "+14155550999" };
  const author = { kind: "key", id: "key_1" } as const;
  const command = (at: number, body: never) =>
    apply({ kind: "command", key: `${at}`, at, ...where, author, command: body });
  const { messages } = apply({
    kind: "inbound",
    key: "in",
    at: 1,
    channelId: CHANNEL.id,
    ...where,
    text: "hi",
  });
  const sessionId = state.session!.id;
  command(2, { kind: "send", sessionId, text: "hello", priority: 0 } as never);
  command(3, { kind: "transfer", sessionId, to: { kind: "queue", id: QUEUE }, note: "n" } as never);
  command(4, { kind: "transfer", sessionId, to: { kind: "extension", id: ALICE } } as never);
  command(5, { kind: "close", sessionId } as never);
  command(6, { kind: "opt-out", source: "request" } as never);
  const [message] = messages;
  const error = { class: "unreachable", reason: "no such number" } as const;
  for (const status of ["sent", "delivered", "failed", "blocked"] as const) {
    const told = messageEvent({ ...message!, direction: "outbound" } as never, {
      status,
      atMs: 7,
      providerId: "SM1",
      error: status === "failed" ? error : null,
      uncertain: false,
    } as never);
    events.push(told!);
  }
  const id = `med_${"0".repeat(26)}`;
  events.push(
    mediaEvent(id, { state: "failed", reason: "too large" } as never, message! as never, 8, null),
  );
  const seen = new Set<string>();
  for (const event of events) {
    seen.add(event.type);
    const result = eventSchema(event.type).safeParse(JSON.parse(JSON.stringify(toCloudEvent(event))));
    ok(result.success, `${event.type}: ${result.error?.message}`);
  }
  ok(seen.size >= 12, [...seen].join(", "));
});
