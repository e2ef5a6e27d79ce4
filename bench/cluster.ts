/**
 * Several processes of the program on the same servers, and which of them owns what.
 *
 * @module
 */
import type { ApiClient } from "./api_client.ts";
import type { Program } from "./system_under_test.ts";

type Kind = "route" | "status" | "send";

interface ClusterView {
  readonly members: readonly { readonly id: string; readonly port: number }[];
  readonly kinds: readonly {
    readonly kind: string;
    readonly partitions: readonly { readonly partition: number; readonly owner: string | null }[];
  }[];
}

const SETTLED_MS_MAX = 60_000;
const POLL_MS = 100;

/** The ports of the owners of a kind's partitions, by partition; null where nobody is alive. */
export async function ownersOf(api: ApiClient, kind: Kind): Promise<Map<number, number | null>> {
  const { members, kinds } = await api.get<ClusterView>("/v1/cluster");
  const ports = new Map(members.map(({ id, port }) => [id, port]));
  const partitions = kinds.find((one) => one.kind === kind)?.partitions ?? [];
  return new Map(
    partitions.map(({ partition, owner }) => [partition, owner === null ? null : ports.get(owner) ?? null]),
  );
}

/** Waits until each of `programs`, and nobody else, owns its share of the kind's partitions, give or take one. */
export async function untilSpread(api: ApiClient, kind: Kind, programs: readonly Program[]): Promise<void> {
  const endMs = performance.now() + SETTLED_MS_MAX;
  for (;;) {
    const owners = [...(await ownersOf(api, kind)).values()];
    const shares = programs.map((program) => owners.filter((port) => port === portOf(program)).length);
    const owned = shares.reduce((sum, share) => sum + share, 0);
    if (owned === owners.length && Math.max(...shares) - Math.min(...shares) <= 1) return;
    if (performance.now() > endMs) throw new Error(`${kind}: ${shares} of ${owners.length} partitions each`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Of its HTTP server. */
export function portOf({ url }: Pick<Program, "url">): number {
  return Number(new URL(url).port);
}
