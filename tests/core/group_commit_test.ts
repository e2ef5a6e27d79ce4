import { deepStrictEqual as equal, rejects } from "node:assert/strict";
import { GroupCommit } from "../../core/group_commit.ts";

function scripted(maxItems = 100) {
  const groups: number[][] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const commit = new GroupCommit<number>({
    maxItems,
    maxSize: 1_000,
    sizeOf: (n) => n,
    write: (items) => {
      groups.push([...items]);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      return gate.promise;
    },
  });
  return { commit, groups, gates };
}
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("what arrives while a write is in flight goes out as the next one, in order", async () => {
  const { commit, groups, gates } = scripted();
  const first = commit.add(1);
  await turn();
  const second = commit.add(2);
  const third = commit.add(3);
  await turn();
  equal(groups, [[1]]);
  gates[0]!.resolve();
  await first;
  await turn();
  equal(groups, [[1], [2, 3]]);
  gates[1]!.resolve();
  await Promise.all([second, third]);
  equal(commit.pending, 0);
});

Deno.test("a burst in one turn shares the first write", async () => {
  const { commit, groups, gates } = scripted();
  const all = [1, 2, 3].map((n) => commit.add(n));
  await turn();
  equal(groups, [[1, 2, 3]]);
  gates[0]!.resolve();
  await Promise.all(all);
});

Deno.test("a group ends at its bounds of items and of size", async () => {
  const { commit, groups, gates } = scripted(2);
  const all = [1, 2, 3, 999, 5].map((n) => commit.add(n));
  for (let i = 0; i < 4; i++) {
    await turn();
    gates[i]?.resolve();
  }
  await Promise.all(all);
  equal(groups, [[1, 2], [3], [999], [5]]);
});

Deno.test("a failed write fails its own group and no other", async () => {
  const { commit, gates } = scripted();
  const first = commit.add(1);
  await turn();
  const second = commit.add(2);
  gates[0]!.reject(new Error("no disk"));
  await rejects(first, /no disk/);
  await turn();
  gates[1]!.resolve();
  await second;
});

Deno.test("a line may linger before a write, and what arrives meanwhile goes along", async () => {
  const groups: number[][] = [];
  const asked: number[] = [];
  const commit = new GroupCommit<number>({
    maxItems: 100,
    maxSize: 1_000,
    sizeOf: (n) => n,
    linger: (waiting) => {
      asked.push(waiting);
      return turn().then(turn);
    },
    write: (items) => {
      groups.push([...items]);
      return Promise.resolve();
    },
  });
  const first = commit.add(1);
  await turn();
  const second = commit.add(2);
  await Promise.all([first, second]);
  equal([groups, asked], [[[1, 2]], [1]]);
});
