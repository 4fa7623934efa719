/** How backups are printed for a person. Which ones, is left to `stackBackups.ts`. */

import type { Stored } from "../../provider/backup/record.ts";
import { visible } from "../../provider/core/visible.ts";
import type { StackBackup } from "./stackBackups.ts";

const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;

/** One line each, the newest first. */
export function formatBackups(backups: readonly StackBackup[], now: Date = new Date()): string {
  const lines = backups.map(({ record, isOfThisDatabase }) => [
    record.name,
    `${ageOf(record.takenAt, now)} old`,
    sizeOf(record.sizeBytes),
    `${Object.keys(record.rows).length} tables, ${rowsOf(record).toLocaleString("en")} rows`,
    proofOf(record),
    record.state === undefined ? "without the state" : "with the state",
    isOfThisDatabase ? "of this database" : `of another database, ${record.database}`,
  ]);
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, n) => visible(cell).padEnd(widths[n] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export const rowsOf = ({ rows }: Stored["record"]): number =>
  Object.values(rows).reduce((sum, { count }) => sum + count, 0);

/** In the largest unit that it has two of. */
export function ageOf(takenAt: string, now: Date): string {
  const seconds = Math.max(0, (now.getTime() - Date.parse(takenAt)) / 1000);
  const [unit, length] = UNITS.find(([, each]) => seconds >= 2 * each) ?? ["s", 1];
  return `${Math.floor(seconds / length)} ${unit}`;
}

function sizeOf(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function proofOf({ proof, mode }: Stored["record"]): string {
  if (mode === "copy") return "a copy, counted";
  return proof.kind === "restore" ? `restored into ${proof.where ?? "a database"}` : "its list is complete";
}
