import assert from "node:assert/strict";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { fieldsOf, listen } from "./listener.ts";

async function get(url: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const response = await fetch(url, { headers });
  return [response.status, await response.text()];
}

Deno.test("URLSMS: a GET is taken and answered OK with the id", async () => {
  await using simulator = startSimulator();
  const query = "celular=59899123456&mensaje=Ol%C3%A1%20%26%20m%C3%A1s%2050%25&id=7";
  assert.deepEqual(await get(`${simulator.url}/x.php?${query}`), [200, "OK;7"]);
  const [call] = simulator.record();
  assert.deepEqual([call?.to, call?.text, call?.messageId], ["59899123456", "Olá & más 50%", "7"]);
});

Deno.test("URLSMS: Latin-1 and form bodies are read too", async () => {
  await using simulator = startSimulator();
  await get(`${simulator.url}/x.php?celular=59899123456&mensaje=Ol%E1%20m%E1s&id=8`);
  const response = await fetch(`${simulator.url}/x.php`, {
    method: "POST",
    body: new URLSearchParams({ celular: "59899123456", mensaje: "Olá & más" }),
  });
  assert.match(await response.text(), /^OK;[0-9a-f]{16}2$/);
  assert.deepEqual(simulator.record().map((call) => call.text), ["Olá más", "Olá & más"]);
});

Deno.test("URLSMS: errors come as words with 200, wrong credentials with 401", async () => {
  await using simulator = startSimulator({ urlsms: { user: "acme", password: "s3cret" } });
  const url = `${simulator.url}/x.php?celular=nobody&mensaje=x`;
  assert.equal((await get(url))[0], 401);
  assert.deepEqual(await get(url, { authorization: "Basic YWNtZTpzM2NyZXQ=" }), [
    200,
    "ERROR;numero invalido",
  ]);
  assert.deepEqual(await get(`${url}&user=acme&password=s3cret`), [200, "ERROR;numero invalido"]);
});

Deno.test("URLSMS: reports go to the status URL, placed or in the query", async () => {
  await using listener = listen();
  await using simulator = startSimulator({ reports: { sentAfterMs: 0, deliveredAfterMs: 0 } });
  simulator.setReports({ urls: { urlsms: `${listener.url}/secret/status` } });
  await get(`${simulator.url}/x.php?celular=59899123456&mensaje=x&id=msg_1`);
  await listener.until(2);
  simulator.setReports({ urls: { urlsms: `${listener.url}/secret/status/{id}?word={status}` } });
  await get(`${simulator.url}/x.php?celular=59899123456&mensaje=x&id=msg_2`);
  await listener.until(4);
  assert.deepEqual(listener.requests.map((request) => [request.path, fieldsOf(request.query)]), [
    ["/secret/status", { id: "msg_1", status: "sent" }],
    ["/secret/status", { id: "msg_1", status: "delivered" }],
    ["/secret/status/msg_2", { word: "sent" }],
    ["/secret/status/msg_2", { word: "delivered" }],
  ]);
});

Deno.test("URLSMS: a contact's message is a GET with plain fields", async () => {
  await using listener = listen();
  const message = { from: "+12025550100", to: "+14155550199", text: "¿Cómo? 1+1" };
  const { id } = await writeAsContact({ provider: "urlsms", url: `${listener.url}/webhooks/x`, ...message });
  assert.deepEqual(fieldsOf(listener.requests[0]!.query), { ...message, id });
});
