import { ok } from "node:assert/strict";
import { archiveRoutes } from "../../adapters/http/runtime/archive.ts";
import { clusterRoutes } from "../../adapters/http/runtime/cluster.ts";
import { contactHistoryRoutes } from "../../adapters/http/runtime/contact_history.ts";
import { eventRoutes } from "../../adapters/http/runtime/events.ts";
import { reassignRoutes } from "../../adapters/http/runtime/reassign.ts";
import { supervisionRoutes } from "../../adapters/http/runtime/supervision.ts";
import { PostgresArchiveSearch } from "../../adapters/postgres/archive_search.ts";
import { PostgresDispatchQueries } from "../../adapters/postgres/dispatch_queries.ts";
import { PostgresSessionQueries } from "../../adapters/postgres/session_queries.ts";
import { PostgresSupervisionQueries } from "../../adapters/postgres/supervision_queries.ts";
import { MediaLinks } from "../../core/media/media_links.ts";
import type { Ingress } from "../../core/ports/ingress.ts";
import { MASTER_KEY } from "../support/http_app.ts";
import { testPostgres } from "../support/postgres.ts";
import { Fixture } from "./fixture.ts";

/** Takes nothing: the routes are only described here. */
const NOBODY: Ingress = {
  refusal: () => null,
  append: () => Promise.resolve(),
  appendReport: () => Promise.resolve(),
  execute: () => Promise.reject(new Error("nobody carries commands out")),
};

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
  "get /v1/archive",
  "get /v1/contacts/{number}/history",
  "post /v1/sessions/reassign",
  "get /v1/supervision/agents",
  "get /v1/supervision/waiting",
  "post /v1/supervision/agents/{id}/message",
];

Deno.test("the runtime's routes are described in /openapi.json, each with a summary and its problems", async () => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const events = { position: () => Promise.resolve("g-0"), subscribe: () => Promise.resolve() };
  const cluster = { view: () => Promise.resolve({ me: "", members: [], kinds: [] }) };
  const { db, sql } = database;
  const archive = new PostgresArchiveSearch(sql);
  const sessions = new PostgresSessionQueries(db);
  const media = { links: new MediaLinks([MASTER_KEY], "http://localhost") };
  const fixture: Fixture = new Fixture(database, [
    eventRoutes({ events }),
    clusterRoutes({ cluster }),
    archiveRoutes({ archive, media }),
    contactHistoryRoutes({ archive, sessions, media }),
    reassignRoutes({ ingress: NOBODY, sessions }),
    supervisionRoutes({
      supervision: new PostgresSupervisionQueries(sql),
      dispatch: new PostgresDispatchQueries(sql),
      tellAgent: () => Promise.resolve(),
    }),
  ]);
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
