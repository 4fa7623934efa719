/**
 * What the facts say of a partitioned table: parent, leaves, foreign keys to it. Statements that attach or
 * detach are made in `plan/inheritance/` and `plan/detachPartitions.ts`.
 */
import { encodeId, type FactBase, type StableId } from "./pgDelta.ts";
import { type TableId, tableId, text } from "./tables.ts";

/** The table that a table is a partition of. */
export function parentOf(table: StableId, base: FactBase): TableId | undefined {
  const parent = base.get(table)?.payload.parentTable;
  if (typeof parent !== "object" || parent === null || !("schema" in parent && "name" in parent)) return undefined;
  const { schema, name } = parent;
  return typeof schema === "string" && typeof name === "string" ? tableId(schema, name) : undefined;
}

/** Whether a table keeps its rows in partitions. */
export function isPartitioned(table: StableId | undefined, live: FactBase): boolean {
  return table !== undefined && text(live.get(table), "partitionKey") !== "";
}

/** The partitions that hold rows themselves. */
export function leavesOf(table: StableId | undefined, live: FactBase): { schema: string; name: string }[] {
  if (table === undefined) return [];
  const key = encodeId(table);
  return live.facts().flatMap(({ id }) => {
    const parent = id.kind === "table" ? parentOf(id, live) : undefined;
    if (id.kind !== "table" || parent === undefined || encodeId(parent) !== key) return [];
    return isPartitioned(id, live) ? leavesOf(id, live) : [id];
  });
}

/** Whether a foreign key refers to the table or to one that it is a partition of. */
export function isReferredTo(table: StableId, live: FactBase): boolean {
  const keys = live.childrenOf(table).filter(({ id }) => id.kind === "constraint" || id.kind === "index");
  const isReferred = keys.some((key) =>
    live.incomingEdges(key.id).some(({ from }) => from.kind === "constraint" && live.get(from)?.payload.type === "f"),
  );
  if (isReferred) return true;
  const parent = parentOf(table, live);
  return parent !== undefined && isReferredTo(parent, live);
}
