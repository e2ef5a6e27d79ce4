/**
 * A channel of the generic HTTP provider for its tests.
 *
 * @module
 */
import { http } from "../../adapters/providers/generic/kinds.ts";
import { channelOf } from "./support.ts";

/** The least that it is set to. */
export const BASE = {
  url: "https://gw.example.test/send",
  parameters: { to: "${phone}", text: "${message}" },
};

/** One with these settings besides. */
export function channel(over: Record<string, unknown> = {}) {
  return channelOf("http", http.credentials.parse({ ...BASE, ...over }));
}
