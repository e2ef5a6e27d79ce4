/** The demo as a newcomer runs it: a process of its own, for a few seconds. */
import assert from "node:assert/strict";
import { freePort } from "../../adapters/embedded/free_port.ts";

interface DemoRun {
  readonly process: Deno.ChildProcess;
  /** Where all its temporary folders go. */
  readonly folder: string;
  readonly port: number;
}

const ROOT = new URL("../..", import.meta.url);

async function startDemo(...args: string[]): Promise<DemoRun> {
  const folder = await Deno.makeTempDir({ prefix: "patchbay-test-" });
  // PostgreSQL runs as another user when the tests are started by root.
  await Deno.chmod(folder, 0o711);
  const port = freePort();
  const process = new Deno.Command(Deno.execPath(), {
    // Quiet: on an empty cache Deno tells what it downloads.
    args: ["run", "--quiet", "-A", "main.ts", "demo", `--port=${port}`, ...args],
    cwd: ROOT,
    env: { TMPDIR: folder },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return { process, folder, port };
}

/** Fails if a folder or a process of the run is still there. */
async function assertNothingLeft({ folder }: DemoRun): Promise<void> {
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), []);
  const left: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const command = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (command.includes(folder)) left.push(command.replaceAll("\0", " "));
  }
  assert.deepEqual(left, []);
  await Deno.remove(folder, { recursive: true });
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("demo: contacts write, agents and bot answer, the carrier reports, and nothing is left behind", async () => {
  const run = await startDemo("--seconds=8", "--rate=5");
  const { code, stdout, stderr } = await run.process.output();
  assert.equal(code, 0, text(stderr));
  assert.equal(text(stderr), "");
  const figures = text(stdout).split("\n").filter((line) => line.startsWith("in ")).at(-1) ?? "";
  const figure = (name: string) => Number(new RegExp(`${name} (\\d+)`).exec(figures)?.[1] ?? 0);
  assert.ok(figure("in") >= 20, figures);
  assert.ok(figure("active") > 0, figures);
  assert.ok(figure("with the bot") > 0, figures);
  assert.ok(figure("sent") > 0, figures);
  assert.ok(figure("delivered") > 0, figures);
  await assertNothingLeft(run);
});

Deno.test("demo: prints a key that works, and SIGINT ends it in order", async () => {
  const run = await startDemo();
  const output = run.process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  while (!printed.includes("\nin ")) {
    const { value, done } = await output.read();
    assert.ok(!done, printed);
    printed += value;
  }
  const key = /(pbk_[\w-]+)/.exec(printed)?.[1];
  const answer = await fetch(`http://127.0.0.1:${run.port}/v1/sessions?state=active&limit=3`, {
    headers: { authorization: `Bearer ${key}` },
  });
  assert.equal(answer.status, 200);
  assert.ok(((await answer.json()) as { items: unknown[] }).items.length > 0);
  run.process.kill("SIGINT");
  while (!(await output.read()).done);
  assert.equal((await run.process.status).code, 0);
  assert.equal(text(await new Response(run.process.stderr).bytes()), "");
  await assertNothingLeft(run);
});

Deno.test("demo: refuses options that do not fit", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    // Quiet: on an empty cache Deno tells what it downloads.
    args: ["run", "--quiet", "-A", "main.ts", "demo", "--port=x", "--rate=0"],
    cwd: ROOT,
    stderr: "piped",
  }).output();
  assert.equal(code, 2);
  assert.match(text(stderr), /--port: .*\n--rate: /);
});
