import { ok } from "node:assert/strict";
import { clusterRoutes } from "../../adapters/http/runtime/cluster.ts";
import { eventRoutes } from "../../adapters/http/runtime/events.ts";
import { testPostgres } from "../support/postgres.ts";
import { Fixture } from "./fixture.ts";

const OPERATIONS = [
  "get /v1/sessions",
  "post /v1/sessions",
  "get /v1/sessions/{id}",
  "get /v1/sessions/{id}/messages",
  "post /v1/sessions/{id}/messages",
  "post /v1/sessions/{id}/accept",
  "post /v1/sessions/{id}/transfer",
  "post /v1/sessions/{id}/close",
  "get /v1/calls",
  "post /v1/calls",
  "get /v1/calls/{callId}",
  "post /v1/calls/{callId}/messages",
  "post /v1/calls/{callId}/end",
  "get /v1/in-call/statistics",
  "post /v1/messages",
  "get /v1/messages",
  "get /v1/messages/{id}",
  "post /v1/messages/{id}/cancel",
  "get /v1/channels/{id}/statistics",
  "get /v1/numbers/{id}/statistics",
  "get /v1/dead-letters",
  "get /v1/dead-letters/{id}",
  "post /v1/dead-letters/{id}/replay",
  "get /v1/events",
  "get /v1/cluster",
];

Deno.test("the runtime's routes are described in /openapi.json, each with a summary and its problems", async () => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const events = { position: () => Promise.resolve("g-0"), subscribe: () => Promise.resolve() };
  const cluster = { view: () => Promise.resolve({ me: "", members: [], kinds: [] }) };
  const fixture = new Fixture(database, [eventRoutes({ events }), clusterRoutes({ cluster })]);
  const { body } = await fixture.get("admin", "/openapi.json");
  for (const operation of OPERATIONS) {
    const [method, path] = operation.split(" ") as [string, string];
    const described = body.paths[path]?.[method];
    ok(described, operation);
    ok(described.summary && described.tags.length === 1, `${operation} has a summary and a tag`);
    ok(described.responses["401"] && described.responses["403"], `${operation} has its problems`);
  }
  const { parameters } = body.paths["/v1/sessions"].get;
  const contact = parameters.find((one: { name: string }) => one.name === "contact");
  ok(contact.schema.type === "string" && !contact.required);
});
