/**
 * Columns that go from a table to those that inherit from it, or the other way: they stay where they are,
 * with their values. The planner would drop them in one table and add them in the other.
 */
import { inheritanceOf, parentsOf } from "../../catalog/inheritance.ts";
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { type ColumnId, columnId, type TableId, tableId } from "../../catalog/tables.ts";
import type { Statement } from "../statement.ts";

/** The statements without those that would add or drop a column that only becomes inherited, or its own. */
export function withMovedColumns(
  statements: readonly Statement[],
  live: FactBase,
  desired: FactBase,
): readonly Statement[] {
  return statements.flatMap((statement) => {
    const { id, op } = statement;
    if (id?.kind !== "column" || op === "update") return [statement];
    const column = columnId(tableId(id.schema, id.table), id.name);
    if (op === "create") return isMoved(column, live, desired) ? [] : [statement];
    if (isMoved(column, desired, live)) return [];
    return droppedAbove(statement, column, live, desired);
  });
}

/** Whether it is inherited in the first and the table's own in the second, and otherwise the same. */
function isMoved(column: ColumnId, inheriting: FactBase, owning: FactBase): boolean {
  const table = inheriting.get(tableId(column.schema, column.table));
  const its = inheritanceOf(table)?.columns.find(({ name, isInherited }) => isInherited && name === column.name);
  const own = owning.get(column);
  if (its === undefined || own === undefined) return false;
  const expression = owning.get({ ...column, kind: "default" })?.payload.expr ?? null;
  const keys = ["type", "notNull", "collation", "generatedExpr"] as const;
  return expression === its.default && keys.every((key) => (own.payload[key] ?? null) === its.payload[key]);
}

/** Without its descendants, where one of them keeps it as its own: the others lose theirs by themselves. */
function droppedAbove(statement: Statement, column: ColumnId, live: FactBase, desired: FactBase): Statement[] {
  const below = descendantsOf(tableId(column.schema, column.table), live);
  const isKept = (table: TableId): boolean => isMoved(columnId(table, column.name), live, desired);
  if (!below.some(isKept)) return [statement];
  const others = below.filter((table) => !isKept(table));
  return [
    { ...statement, sql: statement.sql.replace(/^ALTER TABLE (?!ONLY )/, "ALTER TABLE ONLY ") },
    ...others.map((table): Statement => {
      const id = columnId(table, column.name);
      return {
        ...statement,
        sql: `ALTER TABLE ONLY ${quoteQualified(table.schema, table.name)} DROP COLUMN ${quoteIdent(column.name)}`,
        object: describe(table),
        id,
        subject: describe(id),
        drops: [id],
        consumes: [encodeId(table)],
      };
    }),
  ];
}

/** Tables that inherit from a table, nearest first. */
function descendantsOf(table: TableId, facts: FactBase): TableId[] {
  const key = encodeId(table);
  const children = facts
    .facts()
    .flatMap((fact) =>
      fact.id.kind === "table" && parentsOf(fact).some((parent) => encodeId(parent) === key)
        ? [tableId(fact.id.schema, fact.id.name)]
        : [],
    );
  return [...children, ...children.flatMap((child) => descendantsOf(child, facts))];
}
