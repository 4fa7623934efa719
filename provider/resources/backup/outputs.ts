/** What the state of a stack keeps of its last backup. The whole record lies beside the backup itself. */
import { join } from "node:path";
import type { BackupReport } from "../../backup/record.ts";
import { type Properties, UNKNOWN } from "../../core/resourceType.ts";

/** Before a change has needed a backup. */
export const NOTHING_YET: Properties = {
  mode: "off",
  takenAt: "",
  file: "",
  sizeBytes: 0,
  sha256: "",
  rowCounts: {},
  proof: "none",
  stateFile: "",
  warnings: [],
};

export const OUTPUTS: ReadonlySet<string> = new Set(Object.keys(NOTHING_YET));

/** In a preview. */
export const unknownOutputs = (): Properties => Object.fromEntries([...OUTPUTS].map((name) => [name, UNKNOWN]));

export function backupOutputs({ mode, record, folder = "" }: BackupReport): Properties {
  if (record === undefined) return { ...NOTHING_YET, mode };
  const common = {
    ...NOTHING_YET,
    mode,
    takenAt: record.takenAt,
    proof: proofOf(record.proof),
    warnings: record.warnings,
  };
  if (record.mode === "external") return common;
  const rowCounts = Object.fromEntries(Object.entries(record.rows).map(([name, { count }]) => [name, count]));
  const { sizeBytes, state } = record;
  return {
    ...common,
    sizeBytes,
    rowCounts,
    stateFile: state === undefined ? "" : join(folder, state),
    ...(record.mode === "copy" ? { file: record.copy } : { file: join(folder, record.file), sha256: record.sha256 }),
  };
}

const proofOf = ({ kind, where }: { kind: string; where?: string | undefined }): string =>
  where === undefined ? kind : `${kind}: ${where}`;
