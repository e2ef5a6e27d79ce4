/**
 * What a gateway brings, whatever it comes in: a query, a form, JSON, XML or a multipart form. Names are looked up
 * in the body first and then in the address: many gateways post with everything in the query.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { WebhookRequest } from "../../../core/ports/provider.ts";
import { isObject } from "../answers.ts";
import { type Charset, Fields, isJson, readForm, readQuery } from "../fields.ts";
import { nodeAt, parseXml, textOf } from "./document.ts";
import type { Gateway } from "./gateway.ts";
import { boundaryOf, readMultipart } from "./multipart.ts";

/** Messages or reports in one call at most. */
const ITEMS_MAX = 1_000;

/** One message or report. */
export interface Incoming {
  /** The first of `names` that is there. */
  firstOf(names: readonly string[]): string | undefined;
  /** All texts under the first of `names` that is there: of a list its members, of `Url0` also `Url1` and so on. */
  allOf(names: readonly string[]): readonly string[];
}

type Lookup = (name: string) => readonly string[];

function incomingOf(lookups: readonly Lookup[]): Incoming {
  const find = (names: readonly string[]): readonly [name: string, values: readonly string[]] | undefined => {
    for (const lookup of lookups) {
      for (const name of names) {
        const values = lookup(name);
        if (values.length > 0) return [name, values];
      }
    }
    return undefined;
  };
  return {
    firstOf: (names) => find(names)?.[1][0],
    allOf: (names) => {
      const [name = "", values = []] = find(names) ?? [];
      const all = [...values];
      if (name.endsWith("0")) {
        for (let index = 1; index < 20; index++) {
          const next = find([`${name.slice(0, -1)}${index}`]);
          if (next === undefined) break;
          all.push(...next[1]);
        }
      }
      return all;
    },
  };
}

function inFields(fields: Fields): Lookup {
  return (name) => {
    const value = fields.get(name);
    return value === undefined ? [] : [value];
  };
}

function inTree(tree: unknown): Lookup {
  return (name) => {
    const node = isObject(tree) && Object.hasOwn(tree, name) ? tree[name] : nodeAt(tree, name);
    const texts = (Array.isArray(node) ? node : [node]).map(textOf);
    return texts.filter((text) => text !== undefined);
  };
}

/** A document whose only tag wraps the fields is looked into: `<sms><from>…</from></sms>`. */
function unwrapped(tree: unknown): unknown {
  if (!isObject(tree)) return tree;
  const [only, ...others] = Object.values(tree);
  return others.length === 0 && isObject(only) ? only : tree;
}

function itemsOf(tree: unknown, path: string | undefined): readonly unknown[] | null {
  const node = path === undefined ? tree : nodeAt(tree, path);
  const items = Array.isArray(node) ? node : [node];
  return items.length > 0 && items.length <= ITEMS_MAX && items.every(isObject) ? items : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The messages or reports of a request; null where it cannot be read. Never throws. */
export function readIncoming(request: WebhookRequest, gateway: Gateway): readonly Incoming[] | null {
  const { itemsPath } = gateway.settings;
  const charset: Charset = gateway.settings.charset === "latin-1" ? "latin-1" : "utf-8";
  const query = readQuery(request.url, charset);
  if (query === null) return null;
  const inQuery = inFields(query);
  if (request.method === "GET") return [incomingOf([inQuery])];
  const contentType = request.headers.get("content-type");
  const text = () =>
    Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength)
      .toString(charset === "latin-1" ? "latin1" : "utf8");
  const isXml = contentType !== null && /^[^;]*[/+]xml\b/i.test(contentType);
  if (isXml || isJson(contentType)) {
    const tree = isXml ? unwrapped(parseXml(text())) : parseJson(text());
    return itemsOf(tree, itemsPath)?.map((item) => incomingOf([inTree(item), inQuery])) ?? null;
  }
  const boundary = boundaryOf(contentType);
  const form = boundary === null
    ? readForm(request.body, charset)
    : readMultipart(request.body, boundary, charset);
  return form === null ? null : [incomingOf([inFields(form), inQuery])];
}
