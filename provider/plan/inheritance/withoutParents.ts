/** Tables as they are once they are detached from the tables that they inherit from or are partitions of. */
import { factBaseOf } from "../../catalog/factBaseOf.ts";
import { columnAbove, inheritanceOf, isOwnColumn, parentsOf } from "../../catalog/inheritance.ts";
import { type DependencyEdge, encodeId, type Fact, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { columnId, type TableId, text } from "../../catalog/tables.ts";

/**
 * The facts with the tables standing alone: with the columns, constraints and indexes that they have of
 * their parents as their own. The server keeps those when it parts the two; triggers of the parent go.
 */
export function withoutParents(facts: FactBase, tables: readonly TableId[]): FactBase {
  if (tables.length === 0) return facts;
  const all = new Map(facts.facts().map((fact) => [encodeId(fact.id), fact]));
  const links = new Set(tables.flatMap((table) => parentsOf(facts.get(table)).map((parent) => linkKey(table, parent))));
  // What still stood on a parent would go with it where that is recreated or copied.
  const edges = facts.edges.filter(({ kind, from, to }) => kind !== "depends" || !links.has(linkKey(from, to)));
  for (const table of tables) {
    const fact = facts.get(table);
    const inherited = inheritanceOf(fact);
    if (fact === undefined || inherited === undefined) continue;
    const { parents: _parents, isDetachPending: _pending, _inheritance, ...payload } = fact.payload;
    all.set(encodeId(table), { ...fact, payload: { ...payload, parentTable: null, partitionBound: null } });
    const add = (part: Fact, like: Fact | undefined): void => {
      const key = encodeId(part.id);
      const known = all.get(key);
      if (known !== undefined && !isOwnColumn(known) && part.id.kind !== "default") return;
      all.set(key, part);
      if (like !== undefined) edges.push(...edgesLike(like, part.id, table, facts));
    };
    for (const { name, isInherited, default: expression, payload: column } of inherited.columns) {
      if (!isInherited) continue;
      const id = columnId(table, name);
      const above = columnAbove(table, name, facts);
      add({ id, parent: table, payload: column }, above);
      const defaultId: StableId = { ...id, kind: "default" };
      const aboveDefault = above && facts.childrenOf(above.id).find(({ id: { kind } }) => kind === "default");
      if (expression === null) all.delete(encodeId(defaultId));
      else add({ id: defaultId, parent: id, payload: { expr: expression } }, aboveDefault);
    }
    for (const { name, payload: constraint } of inherited.constraints) {
      const id: StableId = { kind: "constraint", schema: table.schema, table: table.name, name };
      add({ id, parent: table, payload: constraint }, constraintAbove(table, constraint, facts));
    }
    for (const { name, payload: index } of inherited.indexes)
      add({ id: { kind: "index", schema: table.schema, name }, parent: table, payload: index }, undefined);
  }
  return factBaseOf(all.values(), edges, facts);
}

const linkKey = (from: StableId, to: StableId): string => `${encodeId(from)}|${encodeId(to)}`;

/** What a part of a table stands on, told from the same part of its parent: what the parent's stands on. */
function edgesLike(part: Fact, id: StableId, table: TableId, facts: FactBase): DependencyEdge[] {
  const parent = part.parent?.kind === "column" ? facts.get(part.parent)?.parent : part.parent;
  const ofParent = (target: StableId): boolean =>
    parent?.kind === "table" && "table" in target && target.schema === parent.schema && target.table === parent.name;
  return facts.outgoingEdges(part.id).flatMap(({ kind, to }): DependencyEdge[] => {
    if (kind !== "depends") return [];
    if (!ofParent(to)) return [{ kind, from: id, to }];
    return to.kind === "column" ? [{ kind, from: id, to: columnId(table, to.name) }] : [];
  });
}

function constraintAbove(table: TableId, payload: { def: string; type: string }, facts: FactBase): Fact | undefined {
  for (const parent of parentsOf(facts.get(table))) {
    const found = facts
      .childrenOf(parent)
      .find(
        (fact) =>
          fact.id.kind === "constraint" && text(fact, "type") === payload.type && text(fact, "def") === payload.def,
      );
    const above = found ?? constraintAbove(parent, payload, facts);
    if (above !== undefined) return above;
  }
  return undefined;
}
