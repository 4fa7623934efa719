/** A plan as the engine shows it: child lines of a preview, and the detail of a diff. */
import { ownerObject } from "../../catalog/objectNames.ts";
import { encodeId } from "../../catalog/pgDelta.ts";
import type { DiffKind, PlannedStatement } from "../../core/resourceType.ts";
import type { LayerPlan } from "../../plan/plan.ts";
import type { Statement } from "../../plan/statement.ts";

/** Child lines of a preview, numbered so that they keep their order. */
export function asPlan({ assessed }: LayerPlan): PlannedStatement[] {
  const width = String(assessed.length).length;
  return assessed.map(({ statement, hazards, rows }, n) => ({
    name: `${String(n + 1).padStart(width, "0")} ${statement.op} ${statement.subject}`,
    op: statement.op,
    details: {
      sql: statement.sql.split("\n"),
      ...(statement.lock === "none" ? {} : { lock: statement.lock }),
      ...(statement.searchPath === undefined ? {} : { searchPath: statement.searchPath }),
      ...(rows === 0 ? {} : { rows }),
      ...(hazards.length === 0 ? {} : { hazards: hazards.map(({ code, message }) => `${code}: ${message}`) }),
    },
  }));
}

/** The detailed diff of a plan: one entry for each object that changes. */
export function asDetail(statements: readonly Statement[]): Record<string, { kind: DiffKind; inputDiff: boolean }> {
  const kinds = { create: "add", update: "update", delete: "delete" } as const;
  const detail: Record<string, { kind: DiffKind; inputDiff: boolean }> = {};
  for (const { id, object, op } of statements) {
    const path = `changes[${JSON.stringify(object)}]`;
    // A part that comes or goes is a change of the object, and so are several statements for it that differ.
    const whole = id !== undefined && encodeId(id) === encodeId(ownerObject(id));
    const kind = whole ? kinds[op] : "update";
    detail[path] = { kind: path in detail && detail[path]?.kind !== kind ? "update" : kind, inputDiff: false };
  }
  return detail;
}
