import assert from "node:assert/strict";
import { parsePhoneNumberWithError } from "libphonenumber-js";
import twilio from "twilio";
import { slidingWindowMax } from "../../bench/simulator/audit.ts";
import { startGenerator } from "../../bench/simulator/generator.ts";
import { contactNumber, CONTACTS_MAX } from "../../bench/simulator/numbers.ts";
import { TWILIO_DEFAULT_ACCOUNT } from "../../bench/simulator/twilio_account.ts";
import { fieldsOf, listen, type Listener } from "./listener.ts";

const NUMBERS = ["+14155550199", "+14155550198"];

/** Contact to the sequences of its messages, in order of arrival. */
function arrivals(listener: Listener): Map<string, number[]> {
  const byContact = new Map<string, number[]>();
  for (const request of listener.requests) {
    const { From, Body } = fieldsOf(request.body);
    const list = byContact.get(From!) ?? [];
    list.push(Number(/^#(\d+) /.exec(Body!)![1]));
    byContact.set(From!, list);
  }
  return byContact;
}

const ascending = (list: readonly number[]) => list.every((value, i) => i === 0 || list[i - 1]! < value);

Deno.test("contacts: a million different numbers, all of a valid form", () => {
  assert.ok(CONTACTS_MAX >= 1_000_000);
  const seen = new Set<string>();
  for (let i = 0; i < CONTACTS_MAX; i += 7) seen.add(contactNumber(i));
  assert.equal(seen.size, Math.ceil(CONTACTS_MAX / 7));
  for (let i = 0; i < CONTACTS_MAX; i += 10_000) {
    assert.ok(parsePhoneNumberWithError(contactNumber(i)).isValid(), contactNumber(i));
  }
  assert.throws(() => contactNumber(CONTACTS_MAX), RangeError);
});

Deno.test("generator: unique signed messages, in order within each conversation", async () => {
  await using listener = listen();
  const url = `${listener.url}/webhooks/twilio/secret`;
  const generator = startGenerator({
    provider: "twilio",
    url,
    numbers: NUMBERS,
    conversations: 50,
    connections: 8,
    messages: 1_000,
    warmupMs: 0,
  });
  const result = await generator.done;
  assert.deepEqual([result.sent, result.accepted, result.refused, result.broken], [1_000, 1_000, 0, 0]);
  assert.equal(listener.requests.length, 1_000);
  assert.equal(result.latency.count, 1_000);
  const { authToken } = TWILIO_DEFAULT_ACCOUNT;
  for (const request of listener.requests) {
    const signature = request.header("x-twilio-signature")!;
    assert.ok(twilio.validateRequest(authToken, signature, url, fieldsOf(request.body)));
  }
  const ids = listener.requests.map((request) => fieldsOf(request.body).MessageSid!);
  assert.equal(new Set(ids).size, 1_000);
  assert.deepEqual([...generator.acceptedIds()].sort(), ids.sort());
  const byContact = arrivals(listener);
  assert.equal(byContact.size, 50);
  for (const list of byContact.values()) assert.ok(ascending(list));
  const texts = new Set([...generator.messages()].map((message) => message.text));
  assert.deepEqual(texts, new Set(listener.requests.map((request) => fieldsOf(request.body).Body)));
});

Deno.test("generator: keeps a rate", async () => {
  await using listener = listen();
  const generator = startGenerator({
    provider: "voicemeup",
    url: `${listener.url}/webhooks/x`,
    numbers: NUMBERS,
    rateMps: 400,
    warmupMs: 100,
    seconds: 1,
  });
  const result = await generator.done;
  assert.ok(result.acceptedMps > 360 && result.acceptedMps < 440, String(result.acceptedMps));
  assert.ok(slidingWindowMax(listener.requests.map((request) => request.atMs), 500) < 300);
});

Deno.test("generator: duplicates and reorders on demand", async () => {
  await using listener = listen();
  const generator = startGenerator({
    provider: "twilio",
    url: `${listener.url}/webhooks/x`,
    numbers: NUMBERS,
    conversations: 20,
    connections: 4,
    messages: 400,
    warmupMs: 0,
    disorder: { duplicates: 0.5, reorder: 0.3 },
  });
  const result = await generator.done;
  assert.equal(result.sent, 400);
  assert.ok(result.duplicates > 100);
  assert.equal(listener.requests.length, 400 + result.duplicates);
  const ids = new Set(listener.requests.map((request) => fieldsOf(request.body).MessageSid));
  assert.equal(ids.size, 400);
  assert.ok([...arrivals(listener).values()].some((list) => !ascending([...new Set(list)])));
});

Deno.test("generator: refused, retried and broken messages are told apart", async () => {
  let count = 0;
  await using listener = listen(() => {
    count++;
    if (count % 4 === 1) return { kind: "cut" };
    return { kind: "answer", status: [200, 403, 503][count % 3]!, contentType: "text/plain", body: "" };
  });
  const generator = startGenerator({
    provider: "urlsms",
    url: `${listener.url}/webhooks/x`,
    numbers: NUMBERS,
    connections: 1,
    messages: 60,
    warmupMs: 0,
    tries: 3,
    retryMs: 1,
  });
  const result = await generator.done;
  assert.equal(result.accepted + result.refused + result.broken, 60);
  assert.equal(result.accepted, result.statuses[200]);
  assert.ok(result.statuses[403]! > 0 && result.statuses[503]! > 0);
  assert.deepEqual(Object.keys(result.breaks), ["the line was cut before the answer was complete"]);
  assert.equal([...generator.acceptedIds()].length, result.accepted);
});

Deno.test("generator: a target that never answers is given up, one that is gone is not run at", async () => {
  await using listener = listen(() => ({ kind: "hang" }));
  const options = {
    provider: "urlsms",
    numbers: NUMBERS,
    connections: 2,
    messages: 2,
    timeoutMs: 50,
  } as const;
  const hung = await startGenerator({ ...options, url: `${listener.url}/webhooks/x` }).done;
  assert.deepEqual([hung.broken, hung.breaks], [2, { "no answer in time": 2 }]);
  await listener.stop();
  const gone = startGenerator({ ...options, messages: 1_000, url: `${listener.url}/webhooks/x` });
  await new Promise((resolve) => setTimeout(resolve, 100));
  gone.stop();
  const result = await gone.done;
  assert.ok(result.broken > 0 && result.broken < 50, String(result.broken));
});

Deno.test("generator: stops at once though its next turn is far away", async () => {
  await using listener = listen();
  const url = `${listener.url}/webhooks/x`;
  const generator = startGenerator({ provider: "urlsms", url, numbers: NUMBERS, rateMps: 0.1 });
  await listener.until(1);
  generator.stop();
  assert.equal((await generator.done).accepted, 1);
});
