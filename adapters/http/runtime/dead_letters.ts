/**
 * `/v1/dead-letters`: what could not take effect, and putting it back into its log.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { DeadLetterStore, StoredDeadLetter } from "../../../core/ports/dead_letters.ts";
import type { DispatchLog } from "../../../core/ports/dispatch_log.ts";
import type { Ingress } from "../../../core/ports/ingress.ts";
import { type ReplayableEntry, reread } from "../../../core/replay.ts";
import { ADMINISTRATORS } from "../auth.ts";
import type { RouteModule } from "../deps.ts";
import { pageFrom, pageOf, pageQuery } from "../paging.ts";
import { Problem } from "../problem.ts";
import { allow, json, problems } from "../route.ts";
import { idParam } from "./fields.ts";

export interface DeadLetterRoutesDeps {
  readonly ingress: Ingress;
  readonly dispatch: DispatchLog;
  readonly deadLetters: DeadLetterStore;
}

const KINDS = ["undecodable", "unappliable", "poisoned", "unsigned"] as const;

const DeadLetterView = z.object({
  id: z.string(),
  at: z.string().openapi({ format: "date-time" }),
  kind: z.enum(KINDS),
  stream: z.string(),
  partition: z.number().int(),
  sequence: z.number().int(),
  reason: z.string(),
  payloadBytes: z.number().int(),
  replayedAt: z.string().nullable().openapi({ format: "date-time" }),
}).openapi("DeadLetter");

const DeadLetterDetail = DeadLetterView.extend({ payload: z.string() }).openapi("DeadLetterDetail");

const listRoute = createRoute({
  method: "get",
  path: "/v1/dead-letters",
  tags: ["Dead letters"],
  summary: "What could not take effect, newest first, without payloads",
  ...allow(...ADMINISTRATORS),
  request: { query: z.object({ ...pageQuery, kind: z.enum(KINDS).optional() }) },
  responses: { 200: json(pageOf(DeadLetterView), "One page"), ...problems() },
});

const getRoute = createRoute({
  method: "get",
  path: "/v1/dead-letters/{id}",
  tags: ["Dead letters"],
  summary: "One of them, with its payload",
  ...allow(...ADMINISTRATORS),
  request: { params: idParam("deadLetter") },
  responses: { 200: json(DeadLetterDetail, "The dead letter"), ...problems(404) },
});

const replayRoute = createRoute({
  method: "post",
  path: "/v1/dead-letters/{id}/replay",
  tags: ["Dead letters"],
  summary: "Puts it back into its log, if it can be read now",
  ...allow(...ADMINISTRATORS),
  request: { params: idParam("deadLetter") },
  responses: { 200: json(DeadLetterDetail, "It is in its log again"), ...problems(404, 409) },
});

/** `/v1/dead-letters` and everything below it. */
export function deadLetterRoutes({ ingress, dispatch, deadLetters }: DeadLetterRoutesDeps): RouteModule {
  return (app, deps) => {
    app.openapi(listRoute, async (c) => {
      const { limit, cursor, kind } = c.req.valid("query");
      const rows = await deadLetters.list(kind, {
        limit: limit + 1,
        ...(cursor === undefined ? {} : { before: cursor }),
      });
      return c.json(pageFrom(rows.map((row) => view(row, row.payloadBytes)), limit), 200);
    });

    app.openapi(getRoute, async (c) => c.json(detail(await existing(c.req.valid("param").id)), 200));

    app.openapi(replayRoute, async (c) => {
      const letter = await existing(c.req.valid("param").id);
      if (letter.replayed_at !== null) throw replayedBefore(letter.replayed_at);
      if (letter.kind === "unsigned") {
        throw new Problem(409, "Its sender is not proven, so it cannot be replayed.", { code: "unsigned" });
      }
      const read = reread(letter.payload);
      if (read.kind === "unreadable") {
        throw new Problem(409, `It still cannot be read: ${read.reason}.`, { code: "undecodable" });
      }
      // First the log, then the mark: a crash in between lets it be replayed again, and a conversation knows the
      // entry by its key.
      for (const entry of read.entries) {
        await putBack(entry);
      }
      const at = new Date(deps.now());
      await deadLetters.markReplayed(letter.id, at);
      return c.json(detail({ ...letter, replayed_at: at }), 200);
    });

    function putBack(entry: ReplayableEntry): Promise<void> {
      switch (entry.kind) {
        case "inbound":
        case "command":
          return ingress.append(entry);
        case "report":
          return ingress.appendReport(entry);
        default:
          return dispatch.tell([entry]);
      }
    }

    async function existing(id: string): Promise<StoredDeadLetter> {
      const letter = await deadLetters.get(id);
      if (letter === undefined) throw new Problem(404, `There is no dead letter ${id}.`);
      return letter;
    }
  };
}

function replayedBefore(at: Date): Problem {
  return new Problem(409, `It was replayed at ${at.toISOString()}.`, { code: "replayed-before" });
}

function view(row: Omit<StoredDeadLetter, "payload">, payloadBytes: number): z.output<typeof DeadLetterView> {
  return {
    id: row.id,
    at: new Date(row.at_ms).toISOString(),
    kind: row.kind,
    stream: row.stream,
    partition: row.partition,
    sequence: row.sequence,
    reason: row.reason,
    payloadBytes,
    replayedAt: row.replayed_at?.toISOString() ?? null,
  };
}

function detail(letter: StoredDeadLetter): z.output<typeof DeadLetterDetail> {
  return {
    ...view(letter, new TextEncoder().encode(letter.payload).length),
    payload: letter.payload,
  };
}
