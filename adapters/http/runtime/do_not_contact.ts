/**
 * `/v1/do-not-contact`: the list of all who want no more messages, in and out, also as CSV.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { CsvError, parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { repeatableKey } from "../../../core/command_key.ts";
import { readOptOuts } from "../../../core/opt_out/import.ts";
import type { Ingress } from "../../../core/ports/ingress.ts";
import type { OptOutPlace, OptOutQueries } from "../../../core/ports/opt_outs.ts";
import { READERS } from "../auth.ts";
import type { RouteModule } from "../deps.ts";
import { pageOf, pageQuery } from "../paging.ts";
import { invalidFields, Problem } from "../problem.ts";
import { allow, IdempotencyHeader, json, problems } from "../route.ts";
import { authorOf } from "./caller.ts";
import { OptOutView, optOutView } from "./contacts.ts";
import { OwnNumberField } from "./fields.ts";

export interface DoNotContactRoutesDeps {
  readonly ingress: Ingress;
  readonly optOuts: OptOutQueries;
}

const CSV = "text/csv";
const EXPORT_PAGE = 5_000;
const APPEND_AT_ONCE = 1_000;
const ERRORS_SHOWN = 100;

const listRoute = createRoute({
  method: "get",
  path: "/v1/do-not-contact",
  tags: ["Contacts"],
  summary: "Who wants no more messages; with `Accept: text/csv` all of it as a file",
  ...allow(...READERS),
  request: { query: z.object({ ...pageQuery, number: OwnNumberField.optional() }).strict() },
  responses: {
    200: {
      description: "One page, or the file",
      content: {
        "application/json": { schema: pageOf(OptOutView) },
        [CSV]: { schema: z.string().openapi({ example: "contact;number;at;source\n+15551234567;*;…" }) },
      },
    },
    ...problems(),
  },
});

const importRoute = createRoute({
  method: "post",
  path: "/v1/do-not-contact",
  tags: ["Contacts"],
  summary: "Adds a file of contacts who want no more messages",
  description:
    "Lines of `contact;number`; without a number it holds for all of ours. A file with a fault changes " +
    "nothing, unless `partial=true`: then its good lines count and the faults come back. Nothing is confirmed to " +
    "the contacts. The same file again changes nothing.",
  ...allow("administrator", "supervisor"),
  request: {
    headers: IdempotencyHeader,
    query: z.object({ partial: z.enum(["true", "false"]).default("false") }).strict(),
    body: { required: true, content: { [CSV]: { schema: z.string() } } },
  },
  responses: {
    202: json(
      z.object({
        accepted: z.number().int(),
        errors: z.array(z.object({ field: z.string(), message: z.string() })),
      }),
      "They are on record and take effect within moments",
    ),
    ...problems(422),
  },
});

/** `/v1/do-not-contact`. */
export function doNotContactRoutes({ ingress, optOuts }: DoNotContactRoutesDeps): RouteModule {
  return (app, deps) => {
    app.openapi(listRoute, async (c) => {
      const { limit, cursor, number } = c.req.valid("query");
      const filter = number === undefined ? {} : { number };
      if (c.req.header("accept")?.includes(CSV) === true) {
        c.header("content-disposition", 'attachment; filename="do-not-contact.csv"');
        return c.body(await exported(filter), 200, { "content-type": `${CSV}; charset=utf-8` }) as never;
      }
      const after = cursor === undefined ? undefined : placeOf(cursor);
      const rows = await optOuts.list(filter, {
        limit: limit + 1,
        ...(after === undefined ? {} : { after }),
      });
      const items = rows.slice(0, limit);
      return c.json({
        items: items.map(optOutView),
        next: rows.length > limit ? cursorOf(items.at(-1)!) : null,
      }, 200);
    });

    app.openapi(importRoute, async (c) => {
      const isPartial = c.req.valid("query").partial === "true";
      const directory = deps.directory.current();
      const { rows, errors } = readOptOuts(
        linesOf(await c.req.text()),
        (number) => directory.numbersByAddress.has(number),
      );
      if (errors.length > 0 && !isPartial) throw invalidFields(errors.slice(0, ERRORS_SHOWN));
      const author = authorOf(c.get("key"));
      const at = deps.now();
      const path = c.req.valid("header")["idempotency-key"] ?? String(at);
      for (let start = 0; start < rows.length; start += APPEND_AT_ONCE) {
        await Promise.all(
          rows.slice(start, start + APPEND_AT_ONCE).map(({ contact, number }) =>
            ingress.append({
              kind: "command",
              key: repeatableKey(c.get("key").id, path, "opt-out", contact, number),
              at,
              number,
              contact,
              author,
              command: { kind: "opt-out", source: "import" },
            })
          ),
        );
      }
      return c.json({ accepted: rows.length, errors: errors.slice(0, ERRORS_SHOWN) }, 202);
    });

    async function exported(filter: { readonly number?: string }): Promise<string> {
      const lines: string[][] = [];
      let after: OptOutPlace | undefined;
      for (;;) {
        const rows = await optOuts.list(filter, {
          limit: EXPORT_PAGE,
          ...(after === undefined ? {} : { after }),
        });
        for (const row of rows) {
          lines.push([row.contact, row.number, new Date(row.at_ms).toISOString(), row.source, row.by]);
        }
        if (rows.length < EXPORT_PAGE) break;
        after = rows.at(-1)!;
      }
      return stringify(lines, {
        delimiter: ";",
        header: true,
        columns: ["contact", "number", "at", "source", "by"],
      });
    }
  };
}

function linesOf(text: string): string[][] {
  try {
    return parse(text, {
      delimiter: [";", ","],
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new Problem(422, `The file cannot be read: ${error.message}.`, { code: "unreadable-csv" });
  }
}

/** The two parts of a place, which have characters that a cursor has not. */
function cursorOf({ contact, number }: OptOutPlace): string {
  return Buffer.from(JSON.stringify([contact, number])).toString("base64url");
}

function placeOf(cursor: string): OptOutPlace {
  try {
    const [contact, number] = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (typeof contact === "string" && typeof number === "string") return { contact, number };
  } catch {
    // Said below.
  }
  throw invalidFields([{ field: "cursor", message: "not a cursor that a list gave" }]);
}
