/**
 * Several processes of one installation, on a broker and a database that they share: started, paused, killed and
 * told to go one by one, while the test looks at who owns what.
 *
 * @module
 */
import type { Sql } from "../../adapters/postgres/database.ts";
import type { OutsideParts } from "./outside_parts.ts";
import { unlessCut } from "./inside.ts";
import { System } from "./system.ts";
import { until } from "./until.ts";

const MASTER_KEY = btoa("key-of-all-processes-of-a-test-0");

/** One process. */
export interface Member extends AsyncDisposable {
  readonly system: System;
  readonly role: string;
}

export class Cluster implements AsyncDisposable {
  readonly #outside: OutsideParts;
  readonly #members = new Set<Member>();
  #publicUrl: string | null = null;

  constructor(outside: OutsideParts) {
    this.#outside = outside;
  }

  /** Starts a process; resolves when it is ready. The first one that takes webhooks is where they go. */
  async add(role: string): Promise<Member> {
    const system = await System.prepare({
      args: [`--role=${role}`],
      env: {
        ...this.#outside.env,
        PATCHBAY_MASTER_KEY: MASTER_KEY,
        PATCHBAY_LOG: "debug",
        ...(this.#publicUrl === null ? {} : { PATCHBAY_PUBLIC_URL: this.#publicUrl }),
      },
    });
    const takesWebhooks = role.split(",").some((name) => name === "ingress" || name === "all");
    if (takesWebhooks) this.#publicUrl ??= system.url;
    const member: Member = {
      system,
      role,
      [Symbol.asyncDispose]: async () => {
        this.#members.delete(member);
        await system[Symbol.asyncDispose]();
      },
    };
    this.#members.add(member);
    await system.start();
    return member;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#members].map((member) => member[Symbol.asyncDispose]()));
  }
}

/** Who has how many partitions of a kind, by owner; null: nobody's. */
export async function shares(sql: Sql, kind: string): Promise<ReadonlyMap<string | null, number>> {
  const rows = await sql<{ owner: string | null; count: number }[]>`
    select owner, count(*)::int as count from partitions where kind = ${kind} group by owner`;
  return new Map(rows.map(({ owner, count }) => [owner, count]));
}

/**
 * Waits until each partition of the kind is somebody's of `owners` owners, none of them in `gone`, in shares that
 * differ by one at most. Resolves with the owners.
 */
export async function untilShared(
  sql: Sql,
  kind: string,
  owners: number,
  gone: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  return await until(`the ${kind} partitions are shared by ${owners}`, async () => {
    const now = await unlessCut(shares(sql, kind));
    if (now === null) return null;
    const names = [...now.keys()];
    if (names.length !== owners || names.some((name) => name === null || gone.has(name))) return null;
    const counts = [...now.values()];
    return Math.max(...counts) - Math.min(...counts) <= 1 ? names as string[] : null;
  });
}

/** Waits until none of those has a partition of the kind. */
export async function untilTakenOver(sql: Sql, kind: string, gone: ReadonlySet<string>): Promise<void> {
  await until(`the ${kind} partitions are taken over`, async () => {
    const now = await unlessCut(shares(sql, kind));
    return now !== null && [...now.keys()].every((owner) => owner !== null && !gone.has(owner));
  });
}
