/**
 * What must fit together in a gateway's settings.
 *
 * @module
 */
import { XMLValidator } from "fast-xml-parser";
import { z } from "zod";
import { jsonObject } from "../answers.ts";
import { parseTemplate } from "../template.ts";
import { renderBody } from "./places.ts";
import { type GatewaySettings, GatewayShape } from "./settings.ts";

type Fault = (path: string, message: string) => void;

function checkTogether(settings: Readonly<Record<string, unknown>>, fault: Fault): void {
  const pairs = [["webhookHeader", "webhookHeaderValue"], ["webhookUser", "webhookPassword"]] as const;
  for (const [one, other] of pairs) {
    if ((settings[one] === undefined) !== (settings[other] === undefined)) {
      fault(other, `${one} and ${other} belong together`);
    }
  }
}

function checkLogin({ auth, user, password }: GatewaySettings, fault: Fault): void {
  if (auth === "basic" && user === undefined) fault("user", "the login basic needs a user");
  if (auth !== "none" && password === undefined) fault("password", `the login ${auth} needs a password`);
}

function checkBody(settings: GatewaySettings, fault: Fault): void {
  const { method, body, bodyFormat, charset, parametersIn, queryIn } = settings;
  const parameters = Object.keys(settings.parameters).length > 0 && parametersIn !== "query"
    ? parametersIn
    : null;
  if (body !== undefined && parameters !== null) fault("body", "parameters are the body already");
  if (body !== undefined && queryIn === "form") fault("body", "the address's query is the body already");
  if (queryIn === "form" && parameters === "json") fault("queryIn", "the parameters are a JSON body already");
  if (method === "GET") {
    if (body !== undefined) fault("body", "a GET has no body");
    if (parameters !== null) fault("parametersIn", "a GET has no body; write query");
    if (queryIn === "form") fault("queryIn", "a GET has no body");
  }
  const isStructured = parameters === "json" ||
    (body !== undefined && (bodyFormat === "json" || bodyFormat === "xml"));
  if (charset === "gsm" && isStructured) fault("charset", "JSON and XML cannot be written in gsm");
  if (body === undefined) return;
  const template = parseTemplate(body);
  const rendered = renderBody(template, bodyFormat, (name) => name === "media" ? [] : "x", charset);
  if (bodyFormat === "json" && !isJson(rendered)) {
    fault("body", "is not JSON once its variables are filled in");
  }
  if (bodyFormat === "xml" && XMLValidator.validate(rendered) !== true) {
    fault("body", "is not XML once its variables are filled in");
  }
}

function isJson(text: string): boolean {
  return jsonObject(text) !== null || jsonObject(`{"list":${text}}`) !== null;
}

function report(context: z.core.$RefinementCtx, path: string, message: string): void {
  context.addIssue({ code: "custom", path: [path], message });
}

/** All settings, as the kind `http` takes them. */
export const GatewaySchema = z.object(GatewayShape).strict().superRefine((settings, context) => {
  const fault: Fault = (path, message) => report(context, path, message);
  checkTogether(settings, fault);
  checkLogin(settings, fault);
  checkBody(settings, fault);
});
