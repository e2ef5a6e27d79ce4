import { deepEqual, equal, match } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { writeAsContact } from "../../bench/simulator/contact.ts";
import { contactNumber } from "../../bench/simulator/numbers.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { configure } from "../support/configured.ts";
import { System } from "../support/system.ts";
import { until, within } from "../support/until.ts";

const EXAMPLE = fileURLToPath(import.meta.resolve("../../docs/examples/platform_client.ts"));

/** The documented example as a process of its own. */
class Client implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  said = "";
  readonly ended: Promise<Deno.CommandStatus>;

  constructor(args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", EXAMPLE, ...args],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reads = [this.#child.stdout, this.#child.stderr].map(async (stream) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.said += text;
    });
    this.ended = this.#child.status.then(async (status) => {
      await Promise.all(reads);
      return status;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended;
  }
}

Deno.test("RT-5, RT-15, OP-4: a platform works with its credentials; without it, people take over", async (t) => {
  await using simulator = startSimulator({ reports: { enabled: false } });
  await using system = await System.start();
  const { api } = system;
  const { channel, numbers, queueId, platform } = await configure(api, simulator);
  const fallback = { kind: "queue", id: queueId };
  await api.ok("PATCH", `/v1/platforms/${platform.id}`, { fallback });
  const folder = await Deno.makeTempDir({ prefix: "patchbay-test-client-" });
  const file = `${folder}/credentials.json`;
  let contacts = 0;
  const write = async (contact: string, text: string) => {
    const { status, body } = await writeAsContact({
      ...channel.webhook,
      from: contact,
      to: numbers.platform,
      text,
    });
    equal(status, 200, body);
  };
  const sessionOf = async (contact: string) => {
    const { items } = await api.get(`/v1/sessions?contact=${encodeURIComponent(contact)}`);
    return items[0];
  };
  const sent = (contact: string) =>
    simulator.record().filter(({ to }) => to === contact).map(({ text }) => text);

  try {
    await t.step("the example replays what came before it, answers, and routes to a queue", async () => {
      const since = new Date(Date.now() - 1_000).toISOString();
      const [asks, wants] = [contactNumber(contacts++), contactNumber(contacts++)];
      await write(asks, "What are your hours?");
      await until("it is the platform's", async () => (await sessionOf(asks))?.state === "platform");
      await Deno.writeTextFile(
        file,
        JSON.stringify(await api.post(`/v1/platforms/${platform.id}/credentials`)),
      );
      await using client = new Client([file, queueId, since]);
      await until("the answer to what was replayed", () => sent(asks).length > 0);
      deepEqual(sent(asks), ["We are open from 9 to 5."]);
      await write(wants, "I want to speak with somebody");
      const routed = await until("it is handed over", async () => {
        const session = await sessionOf(wants);
        return session?.state === "waiting" && session;
      });
      equal(routed.queueId, queueId);

      // Revoked: the example's connection is closed and not let in again.
      await api.ok("DELETE", `/v1/platforms/${platform.id}/credentials`);
      await within("the example ends", client.ended);
      match(client.said, /following feed_/);
    });

    await t.step(
      "a platform that does not answer loses the session at the deadline, one that is off at once",
      async () => {
        const [late, off] = [contactNumber(contacts++), contactNumber(contacts++)];
        await write(off, "anybody?");
        await until("it is the platform's", async () => (await sessionOf(off))?.state === "platform");
        await api.ok("PATCH", `/v1/platforms/${platform.id}`, { deadlineSeconds: 1 });
        await write(late, "anybody there?");
        const taken = await until("the fallback has it", async () => {
          const session = await sessionOf(late);
          return session?.state === "waiting" && session;
        });
        equal(taken.queueId, queueId);
        const { history } = await api.get(`/v1/sessions/${taken.id}`);
        equal(history.at(-1).note, "platform-deadline");
        await api.ok("PATCH", `/v1/platforms/${platform.id}`, { enabled: false, deadlineSeconds: null });
        const freed = await until("it is off", async () => {
          const session = await sessionOf(off);
          return session?.state === "waiting" && session;
        });
        equal((await api.get(`/v1/sessions/${freed.id}`)).history.at(-1).note, "platform-off");
      },
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
