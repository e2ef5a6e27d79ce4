/**
 * The one row of settings that hold for all queues and agents.
 *
 * @module
 */
import { type OverallDistribution, OverallDistributionSchema } from "../../core/dispatch/settings.ts";
import type { Executor } from "./configuration_rows.ts";

export async function readDistribution(db: Executor): Promise<OverallDistribution> {
  const row = await db.selectFrom("distribution").select("settings").executeTakeFirstOrThrow();
  return OverallDistributionSchema.parse(row.settings);
}

export async function writeDistribution(db: Executor, settings: OverallDistribution): Promise<void> {
  await db.updateTable("distribution").set({ settings }).execute();
}
