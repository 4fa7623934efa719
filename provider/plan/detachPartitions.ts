/**
 * How a partition that foreign keys refer to is dropped: it is detached first. Partitions that stay as tables
 * are left to `inheritance/`.
 */
import { describe } from "../catalog/objectNames.ts";
import { isReferredTo, parentOf } from "../catalog/partitions.ts";
import { encodeId, type FactBase } from "../catalog/pgDelta.ts";
import { quoteQualified } from "../catalog/quote.ts";
import { type TableId, tableId } from "../catalog/tables.ts";
import type { Statement } from "./statement.ts";

/**
 * The server drops a partition of a table that foreign keys refer to only once it is detached; it then checks
 * that no row is referred to. The planner drops it as it stands.
 */
export function withPartitionsDetached(statements: readonly Statement[], live: FactBase): Statement[] {
  return statements.flatMap((statement) => {
    const { id, op } = statement;
    const parent = op === "delete" && id?.kind === "table" ? parentOf(id, live) : undefined;
    if (id?.kind !== "table" || parent === undefined || !isReferredTo(parent, live)) return [statement];
    return [detaching(tableId(id.schema, id.name), parent, statement), statement];
  });
}

function detaching(partition: TableId, parent: TableId, drop: Statement): Statement {
  return {
    ...drop,
    sql: `ALTER TABLE ${quoteQualified(parent.schema, parent.name)} DETACH PARTITION ${quoteQualified(partition.schema, partition.name)}`,
    op: "update",
    subject: `${describe(partition)}, detached from ${describe(parent)}`,
    lock: "ACCESS EXCLUSIVE",
    work: "rows",
    drops: [],
    destructive: false,
    consumes: [encodeId(partition), encodeId(parent)],
  };
}
