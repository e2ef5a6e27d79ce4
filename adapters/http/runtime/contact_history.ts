/**
 * `/v1/contacts/{number}/history`: all that was written with a contact, over all sessions.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { ApiKey, Directory, Role } from "../../../core/directory.ts";
import type { MediaLinks } from "../../../core/media/media_links.ts";
import type { ArchiveHit, ArchiveSearch, ArchiveViewer } from "../../../core/ports/archive.ts";
import type { SessionQueries } from "../../../core/ports/runtime_queries.ts";
import { READERS } from "../auth.ts";
import type { RouteModule } from "../deps.ts";
import { pageOf, pageQuery } from "../paging.ts";
import { allow, json, problems } from "../route.ts";
import { archiveViewer } from "./archive.ts";
import { viewerOf } from "./caller.ts";
import { AddressQuery, ContactField, spanQuery } from "./fields.ts";
import { MessageView, messageView, SessionView, sessionView } from "./views.ts";

export interface ContactHistoryDeps {
  readonly archive: ArchiveSearch;
  readonly sessions: SessionQueries;
  readonly media: { readonly links: MediaLinks };
}

const PEOPLE: readonly Role[] = [...READERS, "agent"];
/** Newest sessions of a contact among which one that is open is looked for. */
const SESSIONS_LOOKED_AT = 50;

const route = createRoute({
  method: "get",
  path: "/v1/contacts/{number}/history",
  tags: ["Contacts"],
  summary: "What was written with a contact over all sessions, newest first",
  description:
    "Agents read all of it while they hold or are offered a session with the contact; else what they find in the " +
    "archive.",
  ...allow(...PEOPLE),
  request: {
    params: z.object({ number: ContactField.openapi({ param: { name: "number", in: "path" } }) }),
    query: z.object({ ...pageQuery, ...spanQuery, ours: AddressQuery.optional() }).strict(),
  },
  responses: {
    200: json(pageOf(z.object({ message: MessageView, session: SessionView.nullable() })), "One page"),
    ...problems(),
  },
});

/** `/v1/contacts/{number}/history`. */
export function contactHistoryRoutes({ archive, sessions, media }: ContactHistoryDeps): RouteModule {
  return (app, deps) => {
    app.openapi(route, async (c) => {
      const { number: contact } = c.req.valid("param");
      const { limit, cursor, from, to, ours } = c.req.valid("query");
      const viewer = await readerOf(c.get("key"), deps.directory.current(), contact);
      const filter = {
        contact,
        ...(ours === undefined ? {} : { number: ours }),
        ...(from === undefined ? {} : { fromMs: from }),
        ...(to === undefined ? {} : { toMs: to }),
      };
      const page = { portion: limit + 1, ...(cursor === undefined ? {} : { before: cursor }) };
      const hits: ArchiveHit[] = [];
      for await (const some of archive.search(filter, viewer, page)) {
        hits.push(...some);
        if (hits.length > limit) break;
      }
      const items = hits.slice(0, limit).map(({ message, session }) => ({
        message: messageView(message, { links: media.links, nowMs: deps.now() }),
        session: session === null ? null : sessionView(session),
      }));
      return c.json({ items, next: hits.length > limit ? items.at(-1)!.message.id : null }, 200);
    });

    async function readerOf(key: ApiKey, directory: Directory, contact: string): Promise<ArchiveViewer> {
      if (key.role !== "agent") return { kind: "all" };
      const own = await sessions.list({ contact }, viewerOf(key, directory), { limit: SESSIONS_LOOKED_AT });
      return own.some(({ state }) => state !== "closed") ? { kind: "all" } : archiveViewer(key, directory);
    }
  };
}
