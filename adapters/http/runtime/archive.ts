/**
 * `/v1/archive`: past messages by words and by who wrote to whom and when.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { highlights, SEARCH_TERMS_MAX, searchTerms } from "../../../core/archive/words.ts";
import type { ApiKey, Directory, Role } from "../../../core/directory.ts";
import type { MediaLinks } from "../../../core/media/media_links.ts";
import type { ArchiveFilter, ArchiveHit, ArchiveSearch, ArchiveViewer } from "../../../core/ports/archive.ts";
import { SESSION_STATES } from "../../../core/session.ts";
import { READERS } from "../auth.ts";
import type { ApiEnv } from "../context.ts";
import type { AppDeps, RouteModule } from "../deps.ts";
import { pageOf, pageQuery } from "../paging.ts";
import { allow, problems } from "../route.ts";
import { TimeSchema } from "../times.ts";
import { ARCHIVE_FORMATS, type ArchiveFormat, exportStream, MEDIA_TYPES } from "./archive_export.ts";
import { AddressQuery, idField, spanQuery } from "./fields.ts";
import { MessageView, messageView, SessionView, sessionView } from "./views.ts";

export interface ArchiveRoutesDeps {
  readonly archive: ArchiveSearch;
  readonly media: { readonly links: MediaLinks };
}

const SEARCHERS: readonly Role[] = [...READERS, "agent"];
const EXPORT_PORTION = 2_000;

const Words = z.string().max(500).transform(
  (text, context) => {
    const terms = searchTerms(text);
    const fault = terms.length > SEARCH_TERMS_MAX
      ? `has more than ${SEARCH_TERMS_MAX} words and phrases`
      : terms.some(({ isExcluded }) => !isExcluded)
      ? undefined
      : "has no word to look for";
    if (fault === undefined) return terms;
    context.addIssue({ code: "custom", message: fault });
    return z.NEVER;
  },
).openapi({
  type: "string",
  description: 'All words must be there: `late order`, `"words side by side"`, `begin*`, `-without`. ' +
    "Accents and capitals do not count",
});

export const HitView = z.object({
  message: MessageView,
  highlights: z.array(z.object({ start: z.number().int(), end: z.number().int() })).openapi({
    description: "Where in the text the words stand: UTF-16 units, the end not included",
  }),
  session: SessionView.nullable().openapi({ description: "As it is now" }),
}).openapi("ArchiveHit");

const Found = pageOf(HitView).extend({
  notSearched: z.object({ from: TimeSchema, to: TimeSchema }).nullable().openapi({
    description: "Messages of this span were not looked at: they came faster than they can be indexed",
  }),
});

const route = createRoute({
  method: "get",
  path: "/v1/archive",
  tags: ["Archive"],
  summary: "Past messages, newest first, with their sessions; also as a file with all that fits",
  description:
    "Administrators, supervisors and readers find all; agents what they wrote or were written while they held the " +
    "session, and what belongs to those of their queues that share their archive. As CSV or JSON lines " +
    "(`format`, or `Accept`) without pages: everything from `cursor` on.",
  ...allow(...SEARCHERS),
  request: {
    query: z.object({
      ...pageQuery,
      ...spanQuery,
      q: Words.optional(),
      number: AddressQuery.optional().openapi({ description: "Ours" }),
      contact: AddressQuery.optional(),
      channelId: idField("channel").optional(),
      queueId: idField("queue").optional(),
      extensionId: idField("extension").optional(),
      direction: z.enum(["inbound", "outbound"]).optional(),
      state: z.enum(SESSION_STATES).optional().openapi({ description: "Of the message's session now" }),
      format: z.enum(ARCHIVE_FORMATS).optional(),
    }).strict(),
  },
  responses: {
    200: {
      description: "One page, or the file",
      content: {
        "application/json": { schema: Found },
        [MEDIA_TYPES.csv]: { schema: z.string() },
        [MEDIA_TYPES.jsonl]: { schema: z.string() },
      },
    },
    ...problems(),
  },
});

/** `/v1/archive`. */
export function archiveRoutes({ archive, media }: ArchiveRoutesDeps): RouteModule {
  return (app, deps) => {
    const view = ({ message, session }: ArchiveHit, { terms = [] }: ArchiveFilter) => ({
      message: messageView(message, { links: media.links, nowMs: deps.now() }),
      highlights: highlights(message.text, terms),
      session: session === null ? null : sessionView(session),
    });

    app.openapi(route, async (c) => {
      const { limit, cursor, from, to, q, format, ...rest } = c.req.valid("query");
      const filter: ArchiveFilter = {
        ...rest,
        ...(q === undefined ? {} : { terms: q }),
        ...(from === undefined ? {} : { fromMs: from }),
        ...(to === undefined ? {} : { toMs: to }),
      };
      const viewer = archiveViewer(c.get("key"), deps.directory.current());
      const before = cursor === undefined ? {} : { before: cursor };
      const wanted = format ?? formatOf(c.req.header("accept"));
      if (wanted !== "json") {
        await noteExport(c, deps, wanted);
        const hits = archive.search(filter, viewer, { ...before, portion: EXPORT_PORTION });
        return fileOf(wanted, hits, (hit) => view(hit, filter)) as never;
      }
      const hits: ArchiveHit[] = [];
      for await (const some of archive.search(filter, viewer, { ...before, portion: limit + 1 })) {
        hits.push(...some);
        if (hits.length > limit) break;
      }
      const items = hits.slice(0, limit);
      const unsearched = await archive.unsearched(filter, viewer);
      return c.json({
        items: items.map((hit) => view(hit, filter)),
        next: hits.length > limit ? items.at(-1)!.message.id : null,
        notSearched: unsearched === null ? null : {
          from: new Date(unsearched.fromMs).toISOString(),
          to: new Date(unsearched.toMs).toISOString(),
        },
      }, 200);
    });
  };
}

/** As `viewerOf`, but of queues only those that share what their members wrote. */
export function archiveViewer(key: ApiKey, directory: Directory): ArchiveViewer {
  if (key.role !== "agent") return { kind: "all" };
  const extensionId = key.extensionId ?? "";
  const queueIds = [...directory.queues.values()]
    .filter(({ sharedArchive, members }) => sharedArchive && members.has(extensionId)).map(({ id }) => id);
  return { kind: "extension", extensionId, queueIds };
}

function formatOf(accept: string | undefined): ArchiveFormat {
  const types = (accept ?? "").split(",").map((type) => type.split(";")[0]!.trim());
  return ARCHIVE_FORMATS.find((format) => types.includes(MEDIA_TYPES[format])) ?? "json";
}

/** Who took which messages out is on record. */
async function noteExport(c: Context<ApiEnv>, deps: AppDeps, format: ArchiveFormat): Promise<void> {
  await deps.configuration.note(`key:${c.get("key").id}`, {
    action: "export",
    kind: "archive",
    target: format,
    before: null,
    after: c.req.query(),
  });
}

function fileOf(
  format: Exclude<ArchiveFormat, "json">,
  hits: AsyncGenerator<readonly ArchiveHit[]>,
  view: (hit: ArchiveHit) => z.output<typeof HitView>,
): Response {
  return new Response(exportStream(format, hits, view), {
    headers: {
      "content-type": `${MEDIA_TYPES[format]}; charset=utf-8`,
      "content-disposition": `attachment; filename="archive.${format}"`,
      "cache-control": "no-store",
    },
  });
}
