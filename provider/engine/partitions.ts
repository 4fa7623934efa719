import { encodeId, type FactBase, type StableId } from "./pgDelta.ts";
import { text } from "./tables.ts";

/** The table that a table is a partition of. */
export function parentOf(table: StableId, base: FactBase): StableId | undefined {
  const parent = base.get(table)?.payload.parentTable;
  if (typeof parent !== "object" || parent === null || !("schema" in parent && "name" in parent)) return undefined;
  const { schema, name } = parent;
  return typeof schema === "string" && typeof name === "string" ? { kind: "table", schema, name } : undefined;
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
