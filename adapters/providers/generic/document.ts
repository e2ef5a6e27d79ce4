/**
 * JSON and XML documents as one kind of tree, and the values at a path in it. Names of properties are looked up as
 * a document's own, so that `__proto__` and its like find nothing.
 *
 * @module
 */
import { XMLParser } from "fast-xml-parser";
import { isObject } from "../answers.ts";

/** Longest XML that is read, UTF-16 units: a tag costs a hundred times what a character of JSON costs. */
const XML_MAX = 200_000;

const xml = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  parseAttributeValue: false,
  // Numeric references like &#225; too; entities of the document's own are refused before they come here.
  htmlEntities: true,
});

/** The tree of an XML document, or undefined where it is none, is too long or brings definitions of its own. */
export function parseXml(text: string): unknown {
  if (!text.trimStart().startsWith("<") || text.length > XML_MAX || /<!(?:DOCTYPE|ENTITY)/i.test(text)) {
    return undefined;
  }
  try {
    return xml.parse(text);
  } catch {
    return undefined;
  }
}

/** The tree of a JSON or XML document, or undefined where `text` is neither. */
export function parseDocument(text: string): unknown {
  const start = text.trimStart();
  if (start.startsWith("<")) return parseXml(start);
  try {
    return JSON.parse(start);
  } catch {
    return undefined;
  }
}

/** The steps of `messages[0].id`. */
export function stepsOf(path: string): readonly string[] {
  return path.split(/[.[\]]+/).filter((step) => step !== "");
}

function child(value: unknown, step: string): unknown {
  if (Array.isArray(value)) return /^\d+$/.test(step) ? value[Number(step)] : undefined;
  return isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

/** What stands at `path`, as it stands there. */
export function nodeAt(tree: unknown, path: string): unknown {
  let value = tree;
  for (const step of stepsOf(path)) value = child(value, step);
  return value;
}

/** A text, number or truth value as text; of a tag with attributes its text. Undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  const plain = isObject(value) && Object.hasOwn(value, "#text") ? value["#text"] : value;
  if (typeof plain === "string") return plain;
  return typeof plain === "number" || typeof plain === "boolean" ? String(plain) : undefined;
}

/** The text at the first of `paths` that has one. */
export function textAt(tree: unknown, paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const text = textOf(nodeAt(tree, path));
    if (text !== undefined) return text;
  }
  return undefined;
}
