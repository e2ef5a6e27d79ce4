/**
 * The auditor's report for people.
 *
 * @module
 */
import type { AuditReport, CheckReport } from "./audit.ts";
import { groupText } from "./findings.ts";

/** One line a check, with what it found below it. */
export function reportText({ checks, sound }: AuditReport): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap((check) => [
    `${verdict(check).padEnd(8)}${check.name.padEnd(width + 2)}${check.promise}${looked(check)}`,
    ...check.faults.map((group) => `          ${groupText(group)}`),
    ...check.notes.map((group) => `          (${groupText(group)})`),
  ]);
  const skipped = checks.filter((check) => check.skipped !== null).length;
  const broken = checks.filter(({ faults }) => faults.length > 0).length;
  const end = sound
    ? `Sound: ${checks.length - skipped} promises checked, ${skipped} not.`
    : `${broken} of ${checks.length - skipped} promises that were checked are broken.`;
  return `${lines.join("\n")}\n\n${end}\n`;
}

function verdict({ skipped, faults }: CheckReport): string {
  return skipped !== null ? "-" : faults.length > 0 ? "BROKEN" : "kept";
}

function looked({ skipped, looked }: CheckReport): string {
  return skipped !== null ? ` (not checked: needs ${skipped})` : ` (${looked} looked at)`;
}
