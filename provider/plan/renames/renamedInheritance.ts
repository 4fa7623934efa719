/** What a table has from its parents, under the new names of these: the server renames it along. */
import { type Inheritance, inheritanceOf } from "../../catalog/inheritance.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { asTable, columnId, type TableId, tableId } from "../../catalog/tables.ts";

/**
 * Undefined for a table without parents, and for any other fact.
 *
 * @param inNewNames a text of SQL with what is renamed of the tables in it.
 */
export function renamedInheritance(
  { id, payload }: Fact,
  live: FactBase,
  newId: (id: StableId) => StableId,
  inNewNames: (sql: string, tables: readonly TableId[]) => string,
): Inheritance | undefined {
  const table = asTable(id);
  const its = table === undefined ? undefined : inheritanceOf({ id, payload });
  if (table === undefined || its === undefined) return undefined;
  const tables = [table, ...ancestorsOf(its, live)];
  const text = <T extends string | null>(sql: T) => (sql === null ? sql : inNewNames(sql, tables));
  const column = (name: string): string => {
    for (const each of tables) {
      const now = newId(columnId(each, name));
      if (now.kind === "column" && now.name !== name) return now.name;
    }
    return name;
  };
  const named = <T extends { payload: { def: string } }>(part: T): T => ({
    ...part,
    payload: { ...part.payload, def: inNewNames(part.payload.def, tables) },
  });
  return {
    ...its,
    parents: its.parents.map((parent) => {
      const now = newId(tableId(parent.schema, parent.name));
      return now.kind === "table" ? { ...parent, schema: now.schema, name: now.name } : parent;
    }),
    condition: text(its.condition),
    columns: its.columns.map((each) => ({
      ...each,
      name: column(each.name),
      default: text(each.default),
      payload: { ...each.payload, generatedExpr: text(each.payload.generatedExpr) },
    })),
    constraints: its.constraints.map(named),
    keys: its.keys.map((key) => {
      const now = newId({ kind: "index", schema: key.schema, name: key.index });
      return now.kind === "index" ? { ...key, schema: now.schema, index: now.name } : key;
    }),
    indexes: its.indexes.map(named),
  };
}

function ancestorsOf({ parents }: Inheritance, live: FactBase): TableId[] {
  const found = new Map<string, TableId>();
  const waiting = parents.map(({ schema, name }) => tableId(schema, name));
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    const key = encodeId(each);
    if (found.has(key)) continue;
    found.set(key, each);
    waiting.push(...(inheritanceOf(live.get(each))?.parents ?? []).map(({ schema, name }) => tableId(schema, name)));
  }
  return [...found.values()];
}
