/**
 * `/v1/contacts/{number}`: what is known of a contact, and its wish to get no more messages.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { ContactPatchSchema, NOTHING_NOTED, TooManyAttributesError } from "../../../core/contact.ts";
import type { Role } from "../../../core/directory.ts";
import { ALL_NUMBERS, OPT_OUT_SOURCES, type OptOutRow } from "../../../core/opt_out/opt_out.ts";
import type { ContactBook } from "../../../core/ports/contacts.ts";
import type { Ingress } from "../../../core/ports/ingress.ts";
import type { OptOutQueries } from "../../../core/ports/opt_outs.ts";
import { READERS } from "../auth.ts";
import type { App } from "../context.ts";
import type { AppDeps, RouteModule } from "../deps.ts";
import { Problem } from "../problem.ts";
import { allow, IdempotencyHeader, json, jsonBody, problems } from "../route.ts";
import { carryOut, ownNumber } from "./commands.ts";
import { ContactField, OwnNumberField } from "./fields.ts";

export interface ContactRoutesDeps {
  readonly ingress: Ingress;
  readonly optOuts: OptOutQueries;
  readonly contacts: ContactBook;
}

const PEOPLE: readonly Role[] = ["administrator", "supervisor", "agent"];

export const OptOutView = z.object({
  contact: z.string().openapi({ example: "+15551234567" }),
  number: z.string().nullable().openapi({ description: "Ours that it is about; null: all of them" }),
  active: z.boolean().openapi({ description: "False: taken back" }),
  at: z.string().openapi({ format: "date-time" }),
  source: z.enum(OPT_OUT_SOURCES),
  by: z.string().openapi({ description: "Who caused it", example: "contact" }),
}).openapi("OptOut");

const ContactView = z.object({
  number: z.string(),
  language: z.string().nullable().openapi({ description: "What the contact speaks, as it was noted" }),
  attributes: z.record(z.string(), z.string()).openapi({
    description: "What other systems noted, for routing rules to ask for",
    example: { tier: "gold" },
  }),
  optOuts: z.array(OptOutView),
}).openapi("Contact");

const params = z.object({ number: ContactField.openapi({ param: { name: "number", in: "path" } }) });
const wish = z.object({
  number: OwnNumberField.optional().openapi({
    description: "Only from this number of ours; left out: from any",
  }),
}).strict();

const getRoute = createRoute({
  method: "get",
  path: "/v1/contacts/{number}",
  tags: ["Contacts"],
  summary: "What is noted of a contact, and whether it wants no more messages",
  ...allow(...READERS, "agent"),
  request: { params },
  responses: {
    200: json(ContactView, "The contact; of one that nobody knows nothing is noted"),
    ...problems(),
  },
});

const patchRoute = createRoute({
  method: "patch",
  path: "/v1/contacts/{number}",
  tags: ["Contacts"],
  summary: "Notes attributes and the language of a contact, for routing rules to ask for",
  ...allow("administrator", "supervisor"),
  request: { params, ...jsonBody(ContactPatchSchema) },
  responses: { 200: json(ContactView, "The contact as it is now"), ...problems(422) },
});

const optOutRoute = createRoute({
  method: "post",
  path: "/v1/contacts/{number}/opt-out",
  tags: ["Contacts"],
  summary: "Notes that the contact wants no more messages; nothing is sent to it from then on",
  ...allow(...PEOPLE),
  request: { params, headers: IdempotencyHeader, ...jsonBody(wish) },
  responses: { 200: json(ContactView, "The contact as it is now"), ...problems(422) },
});

const optInRoute = createRoute({
  method: "delete",
  path: "/v1/contacts/{number}/opt-out",
  tags: ["Contacts"],
  summary: "Takes such a wish back, if the contact asked for it otherwise than by START",
  description: "A wish about one number and one about all are taken back one by one.",
  ...allow("administrator", "supervisor"),
  request: { params, query: wish },
  responses: { 200: json(ContactView, "The contact as it is now"), ...problems(422) },
});

export function optOutView(row: OptOutRow): z.output<typeof OptOutView> {
  return {
    contact: row.contact,
    number: row.number === ALL_NUMBERS ? null : row.number,
    active: row.active,
    at: new Date(row.at_ms).toISOString(),
    source: row.source,
    by: row.by,
  };
}

/** `/v1/contacts/{number}` and below it. */
export function contactRoutes({ ingress, optOuts, contacts }: ContactRoutesDeps): RouteModule {
  return (app: App, deps: AppDeps) => {
    const view = async (contact: string) => {
      const [notes, wishes] = await Promise.all([contacts.ofContacts([contact]), optOuts.ofContact(contact)]);
      const { language, attributes } = notes.get(contact) ?? NOTHING_NOTED;
      return { number: contact, language, attributes: { ...attributes }, optOuts: wishes.map(optOutView) };
    };

    app.openapi(getRoute, async (c) => c.json(await view(c.req.valid("param").number), 200));

    app.openapi(patchRoute, async (c) => {
      const { number: contact } = c.req.valid("param");
      try {
        await contacts.change(contact, c.req.valid("json"), `key:${c.get("key").id}`);
      } catch (error) {
        if (!(error instanceof TooManyAttributesError)) throw error;
        throw new Problem(422, `${error.message}.`, {
          errors: [{ field: "attributes", message: error.message }],
        });
      }
      return c.json(await view(contact), 200);
    });

    app.openapi(optOutRoute, async (c) => {
      const { number: contact } = c.req.valid("param");
      const directory = deps.directory.current();
      const asked = c.req.valid("json").number;
      await carryOut(
        {
          ingress,
          directory,
          now: deps.now,
          key: c.get("key"),
          idempotencyKey: c.req.valid("header")["idempotency-key"],
          path: c.req.path,
        },
        { number: asked === undefined ? ALL_NUMBERS : ownNumber(directory, asked, "number").number, contact },
        { kind: "opt-out", source: "request" },
      );
      return c.json(await view(contact), 200);
    });

    app.openapi(optInRoute, async (c) => {
      const { number: contact } = c.req.valid("param");
      const directory = deps.directory.current();
      const asked = c.req.valid("query").number;
      await carryOut(
        { ingress, directory, now: deps.now, key: c.get("key"), idempotencyKey: undefined, path: c.req.path },
        { number: asked === undefined ? ALL_NUMBERS : ownNumber(directory, asked, "number").number, contact },
        { kind: "opt-in", source: "request" },
      );
      return c.json(await view(contact), 200);
    });
  };
}
