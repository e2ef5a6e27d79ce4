/**
 * Which member should own which partition: a wish, the same for everybody who sees the same members. The right
 * is another matter: it is taken in the database.
 *
 * Rendezvous hashing with bounds: every pair of partition and member has a score, and the highest scores choose
 * first; a member that has its share is passed over. So the shares differ by one at most, and when a member comes or
 * goes little moves beside what has to.
 *
 * @module
 */
import { hash32 } from "../partition.ts";

/** The member wished for each partition, by partition; empty without members. The order of `members` is of no account. */
export function assign(kind: string, partitions: number, members: readonly string[]): readonly string[] {
  const names = [...new Set(members)];
  if (names.length === 0) return [];
  const share = Math.floor(partitions / names.length);
  /** Members that get one more than the share. */
  let extras = partitions % names.length;
  const loads = new Map(names.map((name) => [name, 0]));
  const wished: string[] = new Array(partitions);
  for (const { partition, member } of byScore(kind, partitions, names)) {
    if (wished[partition] !== undefined) continue;
    const load = loads.get(member)!;
    if (load > share || (load === share && extras === 0)) continue;
    if (load === share) extras--;
    loads.set(member, load + 1);
    wished[partition] = member;
  }
  return wished;
}

function byScore(kind: string, partitions: number, members: readonly string[]) {
  const pairs = members.flatMap((member) =>
    Array.from({ length: partitions }, (_, partition) => ({
      partition,
      member,
      score: hash32(`${kind} ${partition} ${member}`),
    }))
  );
  return pairs.sort((a, b) =>
    b.score - a.score || a.partition - b.partition || (a.member < b.member ? -1 : 1)
  );
}
