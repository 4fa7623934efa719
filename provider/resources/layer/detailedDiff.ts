/** A plan as the engine compares it: the detail of a diff. */
import { ownerObject } from "../../catalog/objectNames.ts";
import { encodeId } from "../../catalog/pgDelta.ts";
import type { DiffKind } from "../../core/resourceType.ts";
import type { Statement } from "../../plan/statement.ts";

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
