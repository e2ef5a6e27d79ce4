/**
 * The calls to a gateway.
 *
 * @module
 */
import type { Channel } from "../../../core/channel.ts";
import type { HttpCall, OutgoingMessage } from "../../../core/ports/provider.ts";
import { basicAuthorization } from "../secrets.ts";
import type { Gateway } from "./gateway.ts";
import {
  type BodyFormat,
  jsonString,
  percentEncode,
  renderAddress,
  renderBody,
  renderHeader,
  renderPlain,
  type ValueOf,
} from "./places.ts";
import { toBytes } from "./text_encoding.ts";
import { valueOf, type Variable } from "./variables.ts";

const CONTENT_TYPES: Readonly<Record<BodyFormat, string>> = {
  json: "application/json",
  xml: "text/xml",
  form: "application/x-www-form-urlencoded",
  text: "text/plain",
};

function contentTypeOf(format: BodyFormat, { settings }: Gateway): string {
  const type = CONTENT_TYPES[format];
  if (!type.startsWith("text/") || settings.charset === "gsm") return type;
  return `${type}; charset=${settings.charset === "utf-8" ? "utf-8" : "iso-8859-1"}`;
}

interface Body {
  readonly format: BodyFormat;
  readonly text: string;
}

function headersOf(gateway: Gateway, values: ValueOf): Record<string, string> {
  const { auth, user, password } = gateway.settings;
  const headers: Record<string, string> = {};
  if (auth === "basic") headers["authorization"] = basicAuthorization(user ?? "", password ?? "");
  if (auth === "bearer") headers["authorization"] = `Bearer ${password ?? ""}`;
  for (const [name, template] of gateway.headers) headers[name] = renderHeader(template, values);
  return headers;
}

/** Another host in place of the template's, for a test or a regional one. */
function atBase(address: string, channel: Channel): string {
  const base = channel.settings.baseUrl?.replace(/\/+$/, "");
  return base === undefined ? address : address.replace(/^https?:\/\/[^/?#]*/i, () => base);
}

function withQuery(address: string, query: string): string {
  if (query === "") return address;
  return `${address}${address.includes("?") ? "&" : "?"}${query}`;
}

/** A form is ASCII; other bodies are written in their charset, or in bytes that stand for it. */
function encoded({ format, text }: Body, gateway: Gateway): Pick<HttpCall, "body" | "bodyCharset"> {
  const { charset } = gateway.settings;
  if (charset === "utf-8" || format === "form") return { body: text };
  return {
    body: charset === "gsm" ? toBytes(text, charset) : toBytes(text, "latin-1"),
    bodyCharset: "latin-1",
  };
}

/** Gateways that want Latin-1 answer in it, too, and seldom say so. */
function answerCharset({ settings }: Gateway): Pick<HttpCall, "answerCharset"> {
  return settings.charset === "latin-1" ? { answerCharset: "latin-1" } : {};
}

/**
 * The call that sends `message`.
 *
 * @throws {Error} where the number rules make no number of the contact's.
 */
export function buildCall(gateway: Gateway, message: OutgoingMessage, channel: Channel): HttpCall {
  const { method, charset, spaceAs, parametersIn, queryIn, bodyFormat } = gateway.settings;
  const values: ValueOf = (name) => valueOf(name as Variable, message, gateway);
  let address = renderAddress(gateway.url, values, charset, spaceAs);
  let body: Body | null = gateway.body === undefined
    ? null
    : { format: bodyFormat, text: renderBody(gateway.body, bodyFormat, values, charset) };
  const forms: string[] = [];
  const mark = address.indexOf("?");
  if (queryIn === "form" && mark !== -1) {
    forms.push(address.slice(mark + 1).replaceAll("%20", "+"));
    address = address.slice(0, mark);
  }
  const parameters = gateway.parameters.map(([name, template]) =>
    [name, renderPlain(template, values)] as const
  )
    .filter(([, value]) => value !== "");
  const pairs = (space: "%20" | "+") =>
    parameters.map((pair) => pair.map((text) => percentEncode(text, charset, space)).join("=")).join("&");
  if (parametersIn === "query") address = withQuery(address, pairs(spaceAs));
  else if (parametersIn === "form" && parameters.length > 0) forms.push(pairs("+"));
  else if (parametersIn === "json" && parameters.length > 0) {
    const fields = parameters.map((pair) => pair.map((text) => jsonString(text, charset)).join(":"));
    body = { format: "json", text: `{${fields.join(",")}}` };
  }
  if (forms.length > 0) body = { format: "form", text: forms.join("&") };
  return {
    method,
    url: atBase(address, channel),
    headers: {
      ...(body !== null && { "content-type": contentTypeOf(body.format, gateway) }),
      ...headersOf(gateway, values),
    },
    ...(body !== null && encoded(body, gateway)),
    ...answerCharset(gateway),
  };
}

/** The call that proves the credentials; without an address for it, one that shows whether anybody answers. */
export function buildCheck(gateway: Gateway, channel: Channel): HttpCall {
  const { charset, spaceAs, user, password, from, url } = gateway.settings;
  const known: Readonly<Record<string, string>> = {
    user: user ?? "",
    password: password ?? "",
    from: from ?? "",
  };
  const values: ValueOf = (name) => Object.hasOwn(known, name) ? known[name]! : "";
  const origin = /^https?:\/\/[^/?#]*/i.exec(url)![0];
  const address = gateway.checkUrl === undefined
    ? `${origin}/`
    : renderAddress(gateway.checkUrl, values, charset, spaceAs);
  return {
    method: "GET",
    url: atBase(address, channel),
    headers: gateway.checkUrl === undefined ? {} : headersOf(gateway, values),
    ...answerCharset(gateway),
  };
}
