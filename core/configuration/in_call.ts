/**
 * Texting during calls, as the installation has it set.
 *
 * @module
 */
import { type InCallSettings, InCallSettingsSchema } from "../in_call/settings.ts";
import type { ConfigurationTransaction } from "../ports/configuration.ts";
import type { Changed } from "./change.ts";
import { invalid, parse } from "./fault.ts";
import { type Fields, mergePatch, patchSchema, sameJson } from "./merge.ts";
import { inCallNumberErrors } from "./named.ts";

export const InCallPatchSchema = patchSchema(InCallSettingsSchema);

/**
 * Changes the fields that `patch` names; fields of faults begin with `root`.
 *
 * @throws {ConfigurationFault} `invalid`
 */
export async function updateInCall(
  tx: ConfigurationTransaction,
  patch: Fields,
  root = "",
): Promise<Changed<InCallSettings>> {
  const before = await tx.inCall();
  const after = parse(InCallSettingsSchema, mergePatch(before, patch), root);
  const errors = await inCallNumberErrors(tx, [root, "numberId"].filter(Boolean).join("."), after.numberId);
  if (errors.length > 0) throw invalid(...errors);
  if (sameJson(before, after)) return { before, after, changed: false };
  await tx.setInCall(after);
  await tx.record({ action: "update", kind: "in-call", target: "overall", before, after });
  return { before, after, changed: true };
}
