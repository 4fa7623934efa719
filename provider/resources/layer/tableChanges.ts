/** What a plan does to the rows of tables, as a verification of the same run has to know it. */
import type { FactBase } from "../../catalog/pgDelta.ts";
import { asTable, tableOf } from "../../catalog/tables.ts";
import type { Statement } from "../../plan/statement.ts";
import { type TableChange, tableKey } from "../../verification/runWrites.ts";

/** Tables whose rows a plan drops, moves to another table or converts, by key. */
export function tableChanges(
  statements: readonly Statement[],
  before: FactBase,
  desired: FactBase,
): Map<string, TableChange> {
  const changes = new Map<string, TableChange>();
  const note = (id: Statement["id"], change: TableChange): void => {
    const table = asTable(id && tableOf(id, before));
    if (table !== undefined) changes.set(tableKey(table.schema, table.name), change);
  };
  for (const { id, takesOut, copying, backfill, recomputes, destructive, rewrites, copies } of statements) {
    if (backfill || recomputes || destructive || rewrites || copies) note(id, "converted");
    if (takesOut !== undefined || copying) note(id, "moved");
  }
  // One statement may drop several, such as the schema that they are in.
  for (const { id } of before.facts()) if (id.kind === "table" && !desired.has(id)) note(id, "dropped");
  return changes;
}
