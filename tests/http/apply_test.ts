import assert from "node:assert/strict";
import { runApply } from "../../adapters/apply/apply.ts";
import { readApplyOptions } from "../../adapters/apply/options.ts";
import { ADMIN_KEY, type TestApp, testApp } from "../support/http_app.ts";
import { type TestDatabase, type TestPostgres, testPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let database: TestDatabase;
let app: TestApp;
Deno.test.beforeAll(async () => {
  postgres = await testPostgres();
  database = await postgres.database();
  app = await testApp(database);
});
Deno.test.afterAll(async () => {
  app[Symbol.dispose]();
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const FILE = `# The whole shop
extensions:
  - { extension: "101", name: Ana }
  - { extension: "102", name: Ben }
queues:
  - name: Sales
    members: ["101", "102"]
platforms:
  - name: Bot
    endpoint: https://bot.example/in
channels:
  - name: Main
    provider: fake
    isDefault: true
    rateMps: 10
    fallbackChannel: Spare
    credentials:
      accountSid: AC1
      authToken: \${ENV:TOKEN}
  - name: Spare
    provider: fake
    credentials: { accountSid: AC2, authToken: spare-token }
numbers:
  - number: "+1 202 555 0134"
    channel: Main
    destination: { queue: Sales }
  - number: "+12025550135"
    channel: Spare
    destination: { platform: Bot }
    allowedExtensions: ["101"]
keys:
  - { name: ana, role: agent, extension: "101" }
`;

async function apply(text: string, { dryRun = false, key = ADMIN_KEY, token = "the-secret-token" } = {}) {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await runApply({ file: "shop.yaml", url: "http://here", key, dryRun }, {
    readFile: () => Promise.resolve(text),
    env: (name) => name === "TOKEN" ? token : undefined,
    fetch: (url, init) => Promise.resolve(app.app.request(url.replace("http://here", ""), init)),
    print: (line) => out.push(line),
    printError: (line) => errors.push(line),
  });
  return { code, out, errors };
}

Deno.test("apply makes what a file says, tells it before with --dry-run, and changes nothing the second time", async () => {
  const dry = await apply(FILE, { dryRun: true });
  assert.deepEqual([dry.code, dry.errors], [0, []]);
  assert.equal(
    dry.out.at(-1),
    "9 would be created, 0 would be changed, 0 as they are (dry run: nothing was done)",
  );
  assert.equal(app.directory.current().extensions.size, 0);
  const [none] = await database.sql`select count(*)::int as n from audit_log where actor <> 'system'`;
  assert.equal(none!.n, 0);

  const done = await apply(FILE);
  assert.deepEqual([done.code, done.errors], [0, []]);
  assert.ok(done.out.includes("+ number +12025550134"));
  assert.ok(done.out.includes("9 created, 0 changed, 0 as they are"));
  assert.match(
    done.out.find((line) => line.startsWith("key ana"))!,
    /^key ana: pbk_[\w-]{43} {3}\(shown only this once\)$/,
  );
  const plan = done.out.filter((line) => /^[+~=]/.test(line)).join("\n");
  assert.equal(/the-secret-token|spare-token/.test(done.out.join()), false);
  assert.ok(plan.includes("+ channel Main"));

  const directory = app.directory.current();
  const number = directory.numbersByAddress.get("+12025550134")!;
  const queue = [...directory.queues.values()].find(({ name }) => name === "Sales")!;
  assert.deepEqual(number.destination, { kind: "queue", id: queue.id });
  assert.equal(queue.members.size, 2);
  const main = directory.channels.get(number.channelId)!;
  assert.deepEqual([main.name, main.credentials.authToken, main.settings.rateMps], [
    "Main",
    "the-secret-token",
    10,
  ]);
  assert.equal(directory.channels.get(main.settings.fallbackChannelId!)?.name, "Spare");
  const [audited] = await database.sql`select count(*)::int as n from audit_log where actor like 'key:%'`;
  assert.ok(audited!.n >= 9);

  const again = await apply(FILE);
  assert.ok(again.out.includes("0 created, 0 changed, 9 as they are"), again.out.join("\n"));
  assert.equal(app.directory.current().version, directory.version);
});

Deno.test("apply changes what differs and tells what, but not the values of secrets", async () => {
  await apply(FILE);
  const changed = FILE.replace("rateMps: 10", "rateMps: 20").replace(
    'members: ["101", "102"]',
    'members: ["101"]',
  );
  const { code, out } = await apply(changed, { token: "another-token" });
  assert.equal(code, 0);
  assert.ok(out.includes("    rateMps: 10 → 20"));
  assert.ok(out.includes("    credentials.authToken: (secret)"));
  assert.ok(out.includes("~ queue Sales"));
  assert.ok(out.includes("0 created, 2 changed, 7 as they are"), out.join("\n"));
  assert.equal(/another-token|the-secret-token/.test(out.join("\n")), false);
});

Deno.test("apply tells every fault with its line, and changes nothing", async () => {
  const version = app.directory.current().version;
  const { code, errors } = await apply(`extensions:
  - { extension: "201", name: Cy }
  - { extension: "no blanks", name: Dee }
channels:
  - name: Broken
    provider: fake
    credentials:
      accountSid: XX
      authToken: abcdef
    timeoutMs: 5
`);
  assert.equal(code, 1);
  assert.deepEqual(errors.map((line) => line.split(": ").slice(0, 2).join(": ")), [
    "shop.yaml:3: extensions.1.extension",
    "shop.yaml:10: channels.0.timeoutMs",
  ]);
  const second = await apply(`extensions:
  - { extension: "201", name: Cy }
channels:
  - name: Broken
    provider: fake
    credentials: { accountSid: XX,
      authToken: abc }
numbers:
  - number: "+12025550190"
    channel: Nowhere
  - number: "+12025550191"
    channel: Main
    destination: { queue: None }
  - number: "12"
    channel: Main
queues:
  - { name: Twice }
  - { name: Twice }
  - name: Odd
    members: ["201", "999"]
`);
  assert.deepEqual(second.errors.map((line) => line.split(": ").slice(0, 2).join(": ")).sort(), [
    "shop.yaml:10: numbers.0.channel",
    "shop.yaml:13: numbers.1.destination",
    "shop.yaml:14: numbers.2.number",
    "shop.yaml:18: queues.1.name",
    "shop.yaml:20: queues.2.members.1",
    "shop.yaml:6: channels.0.credentials.accountSid",
    "shop.yaml:7: channels.0.credentials.authToken",
  ]);
  assert.equal(app.directory.current().version, version);
});

Deno.test("apply refuses files that it cannot read, unknown names and wrong keys in one line each", async () => {
  assert.match((await apply("a: [1")).errors[0]!, /^shop\.yaml:\d+: /);
  assert.match((await apply("- 1")).errors[0]!, /^shop\.yaml:1: must be lists by name/);
  assert.deepEqual((await apply("extension:\n  - { name: x }")).errors, [
    "shop.yaml:1: extension: there is no field of this name",
  ]);
  assert.deepEqual((await apply("queues:\n  - name: ${ENV:NOT_SET}")).errors, [
    "shop.yaml:2: the variable NOT_SET is not set",
  ]);
  const forbidden = await apply("{}", { key: "pbk_wrong" });
  assert.deepEqual([forbidden.code, /valid API key/.test(forbidden.errors[0]!)], [1, true]);
  assert.deepEqual(readApplyOptions(["--", "--url", "nowhere", "--dry", "a", "b"], {}), {
    kind: "faults",
    faults: [
      "--dry: there is no such option, see --help",
      "FILE: only one can be given",
      "--url: must be an http or https URL",
      "--key: is missing; give it, or set PATCHBAY_ADMIN_KEY",
    ],
  });
});

Deno.test("apply reads JSON as well", async () => {
  const { code, out } = await apply(JSON.stringify({ extensions: [{ extension: "900", name: "Json" }] }));
  assert.deepEqual([code, out[0]], [0, "+ extension 900"]);
});
