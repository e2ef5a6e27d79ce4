/**
 * The top level of a JSON body as fields, for providers that take forms and JSON alike.
 *
 * @module
 */

/** The body's object; empty where it is none. */
export function jsonBody(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : {};
  } catch {
    return {};
  }
}

/** Its texts, numbers and truth values as texts. */
export function fieldsOfJson(body: string): Map<string, string[]> {
  return new Map(
    Object.entries(jsonBody(body)).filter(([, value]) => typeof value !== "object")
      .map(([name, value]) => [name, [String(value)]]),
  );
}
