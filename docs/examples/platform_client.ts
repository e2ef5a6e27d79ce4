/**
 * A platform: reads its events, answers what it can, and hands everything else to a queue. Run it with the answer of
 * `POST /v1/platforms/{id}/credentials` in a file: `deno run -A platform_client.ts credentials.json QUEUE_ID [SINCE]`.
 * Outside of this repository the packages are `npm:@nats-io/transport-node` and `npm:@nats-io/jetstream`.
 */
import { jetstream } from "@nats-io/jetstream";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";

const [file, queueId, since] = Deno.args;
const access = JSON.parse(await Deno.readTextFile(file!));
const nats = await connect({
  servers: access.servers,
  authenticator: nkeyAuthenticator(new TextEncoder().encode(access.seed)),
  maxReconnectAttempts: -1,
});

async function ask(request: Record<string, unknown>) {
  const answer = (await nats.request(access.command, JSON.stringify(request), { timeout: 10_000 })).json<
    { ok?: true; title: string; detail: string; stream: string; consumer: string }
  >();
  if (!answer.ok) console.error(`${request.type}: ${answer.title}: ${answer.detail}`);
  return answer;
}

// From SINCE on where it is given, else after what was acknowledged last.
const { stream, consumer } = await ask({ type: "follow", ...(since ? { from: { time: since } } : {}) });
const events = await jetstream(nats, { apiPrefix: access.apiPrefix }).consumers.get(stream, consumer);
console.log("following", consumer);
for await (const message of await events.consume()) {
  const { id, type, data } = message.json<
    { id: string; type: string; data: { sessionId: string; text: string } }
  >();
  if (type === "message.received") {
    // The event's id as key: what comes twice is done once.
    const common = { sessionId: data.sessionId, idempotencyKey: id };
    if (/\bhours\b/i.test(data.text)) {
      await ask({ type: "reply", ...common, text: "We are open from 9 to 5." });
    } else {
      await ask({ type: "route", ...common, to: { kind: "queue", id: queueId }, note: "wants a person" });
    }
  }
  message.ack();
}
