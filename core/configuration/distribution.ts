/**
 * How work is given out over all queues: one set of settings of the installation.
 *
 * @module
 */
import { type OverallDistribution, OverallDistributionSchema } from "../dispatch/settings.ts";
import type { ConfigurationTransaction } from "../ports/configuration.ts";
import type { Changed } from "./change.ts";
import { parse } from "./fault.ts";
import { type Fields, mergePatch, patchSchema, sameJson } from "./merge.ts";

export const OverallDistributionPatchSchema = patchSchema(OverallDistributionSchema);

/**
 * Changes the fields that `patch` names; fields of faults begin with `root`.
 *
 * @throws {ConfigurationFault} `invalid`
 */
export async function updateDistribution(
  tx: ConfigurationTransaction,
  patch: Fields,
  root?: string,
): Promise<Changed<OverallDistribution>> {
  const before = await tx.distribution();
  const after = parse(OverallDistributionSchema, mergePatch(before, patch), root);
  if (sameJson(before, after)) return { before, after, changed: false };
  await tx.setDistribution(after);
  await tx.record({ action: "update", kind: "distribution", target: "overall", before, after });
  return { before, after, changed: true };
}
