/** What keeps the rows of a default partition from being moved to a new one without a risk for them. */
import { parentsOf } from "../../catalog/inheritance.ts";
import { nameInApproval } from "../../catalog/objectNames.ts";
import { isPartitioned, isReferredTo, leavesOf } from "../../catalog/partitions.ts";
import type { FactBase } from "../../catalog/pgDelta.ts";
import { asTable, type TableId, tableId } from "../../catalog/tables.ts";
import type { Statement } from "../statement.ts";
import { defaultPartitionOf } from "./links.ts";
import { isMovable } from "./moveRows.ts";

/** What keeps rows where they are, in words; undefined where they can be moved. */
export function obstacleToMove(
  statement: Statement,
  { live, desired }: { live: FactBase; desired: FactBase },
): string | undefined {
  const partition = asTable(statement.id);
  const [parent] = parentsOf(partition && desired.get(partition));
  const from = parent && defaultPartitionOf(parent, live);
  if (partition === undefined || parent === undefined || from === undefined) return undefined;
  if (isPartitioned(partition, desired)) return "the new partition lies in partitions itself";
  if (isReferredTo(from, live) || isReferredTo(from, desired))
    return "foreign keys refer to the table, and a row that leaves its partition would be deleted to them";
  const tables = [from, ...leavesOf(from, live).map(({ schema, name }) => tableId(schema, name))];
  if (tables.some((table) => live.childrenOf(table).some(({ id }) => id.kind === "rule")))
    return `${nameInApproval(from)} has rules`;
  if ([...tables, partition].some((table) => [live, desired].some((side) => isForced(table, side))))
    return "row security is forced on its owner";
  if ([...tables, ...above(from, live)].some((table) => isPublished(table, live)))
    return "a publication has the table, and its subscribers would lose the rows";
  return isMovable(statement, { live, desired }) ? undefined : "this form of partition is not moved to";
}

const isForced = (table: TableId, facts: FactBase): boolean =>
  facts.get(table)?.payload.forceRowSecurity === true && facts.get(table)?.payload.rowSecurity === true;

const above = (table: TableId, facts: FactBase): TableId[] =>
  parentsOf(facts.get(table)).flatMap((parent) => [parent, ...above(parent, facts)]);

function isPublished({ schema, name }: TableId, facts: FactBase): boolean {
  return facts
    .facts()
    .some(
      ({ id, payload }) =>
        (id.kind === "publication" && payload.allTables === true) ||
        (id.kind === "publicationRel" && id.schema === schema && id.table === name) ||
        (id.kind === "publicationSchema" && id.schema === schema),
    );
}
