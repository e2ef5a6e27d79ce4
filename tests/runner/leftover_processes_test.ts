import { deepEqual, equal, match } from "node:assert/strict";
import { leftoverProcesses, RUN_MARK } from "../support/leftover_processes.ts";

Deno.test("leftoverProcesses finds who bears the mark and who works in the folder, and nobody else", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const mark = crypto.randomUUID();
  const sleep = (options: Deno.CommandOptions) =>
    new Deno.Command("sleep", { args: ["60"], stdin: "null", stdout: "null", stderr: "null", ...options })
      .spawn();
  const marked = sleep({ env: { [RUN_MARK]: mark } });
  const inside = sleep({ cwd: folder });
  const other = sleep({ env: { [RUN_MARK]: "another" } });
  try {
    const found = leftoverProcesses(mark, folder);
    deepEqual(found.map(({ pid }) => pid).sort(), [marked.pid, inside.pid].sort());
    match(found[0]!.command, /sleep 60$/);
  } finally {
    for (const child of [marked, inside, other]) child.kill("SIGKILL");
    await Promise.all([marked, inside, other].map((child) => child.status));
    await Deno.remove(folder);
  }
  equal(leftoverProcesses(mark, folder).length, 0);
});
