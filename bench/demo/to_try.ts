/**
 * What a newcomer may try beside the demo.
 *
 * @module
 */
import type { ApiClient } from "../api_client.ts";
import type { DemoInstallation } from "./demo_installation.ts";

/** The key, the addresses and some commands to copy. */
export function toTry({ url, key }: ApiClient, { channelId, numbers }: DemoInstallation): string {
  const bearer = `-H 'Authorization: Bearer ${key}'`;
  const json = `-H 'Content-Type: application/json'`;
  const message = JSON.stringify({ from: numbers[0], to: "+12025550199", text: "Hello from curl" });
  return `
Patchbay is ready at ${url}
Administrator's API key, for this run:  ${key}

Try in another terminal:
  curl ${bearer} '${url}/v1/sessions?state=active&limit=3'
  curl ${bearer} ${json} -d '${message}' ${url}/v1/messages
  curl -X PATCH ${bearer} ${json} -d '{"rateMps": 2}' ${url}/v1/channels/${channelId}
  curl -N ${bearer} ${url}/v1/events

Ctrl-C stops everything.
`;
}
