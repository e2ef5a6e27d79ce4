/**
 * `/v1/rules/test`: what the routing rules would do with a message.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { DestinationSchema } from "../../../core/channel.ts";
import { NOTHING_NOTED } from "../../../core/contact.ts";
import type { DetectLanguage } from "../../../core/language.ts";
import type { ContactSource } from "../../../core/ports/contacts.ts";
import type { MessageQueries } from "../../../core/ports/runtime_queries.ts";
import { asksForLanguage } from "../../../core/rules/needs.ts";
import { decideRoute } from "../../../core/rules/decide.ts";
import { explain } from "../../../core/rules/match.ts";
import { RuleMatchSchema } from "../../../core/rules/rule.ts";
import { READERS } from "../auth.ts";
import type { RouteModule } from "../deps.ts";
import { invalidFields } from "../problem.ts";
import { allow, json, jsonBody, problems } from "../route.ts";
import { ownNumber } from "./commands.ts";
import { ContactField, OwnNumberField, TextField, TimeField } from "./fields.ts";

const ConditionView = z.object({
  condition: RuleMatchSchema.keyof(),
  holds: z.boolean(),
  reason: z.string().openapi({ example: "the calendar Office is closed" }),
});

const TestedRule = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  priority: z.number().int(),
  matches: z.boolean().openapi({
    description: "Whether all its conditions hold; a disabled rule never decides",
  }),
  conditions: z.array(ConditionView),
}).openapi("TestedRule");

const testRoute = createRoute({
  method: "post",
  path: "/v1/rules/test",
  tags: ["Rules"],
  summary: "Which rule would decide on a message, and why the others would not",
  description: "As if no session were open and the text were no STOP or the like. Nothing is changed.",
  ...allow(...READERS),
  request: jsonBody(
    z.object({
      number: OwnNumberField,
      contact: ContactField,
      text: TextField.default(""),
      at: TimeField.optional().openapi({ description: "Left out: now" }),
    }).strict(),
  ),
  responses: {
    200: json(
      z.object({
        at: z.string().openapi({ format: "date-time" }),
        decidedBy: z.object({ id: z.string(), name: z.string() }).nullable()
          .openapi({ description: "The rule; null: the number's own destination" }),
        destination: DestinationSchema.nullable(),
        rules: z.array(TestedRule).openapi({ description: "In the order in which they are asked" }),
      }),
      "The decision",
    ),
    ...problems(),
  },
});

export interface RuleTestDeps {
  readonly messages: MessageQueries;
  readonly contacts: ContactSource;
  readonly languageDetector: () => Promise<DetectLanguage>;
}

export function ruleTestRoutes({ messages, contacts, languageDetector }: RuleTestDeps): RouteModule {
  return (app, deps) => {
    app.openapi(testRoute, async (c) => {
      const { contact, text, at, ...body } = c.req.valid("json");
      const directory = deps.directory.current();
      const { rules, calendars } = directory;
      const number = ownNumber(directory, body.number, "number");
      if (number.purpose === "in-call") {
        throw invalidFields([{
          field: "number",
          message: `${number.number} is for calls, and rules are not asked for it`,
        }]);
      }
      const former = await messages.list({ number: number.number, contact }, { kind: "all" }, { limit: 1 });
      const notes = (await contacts.ofContacts([contact])).get(contact) ?? NOTHING_NOTED;
      const detect = asksForLanguage(rules) ? await languageDetector() : null;
      const asked = {
        number,
        contact,
        text,
        atMs: at ?? deps.now(),
        isReturning: former.length > 0,
        attributes: notes.attributes,
        language: notes.language ?? detect?.(text) ?? null,
      };
      const { rule, destination } = decideRoute(directory, asked);
      return c.json({
        at: new Date(asked.atMs).toISOString(),
        decidedBy: rule && { id: rule.id, name: rule.name },
        destination,
        rules: rules.map((one) => {
          const conditions = explain(one, asked, calendars).map((condition) => ({ ...condition }));
          const { id, name, enabled, priority } = one;
          return { id, name, enabled, priority, matches: conditions.every(({ holds }) => holds), conditions };
        }),
      }, 200);
    });
  };
}
