import { minus } from "./algebra.ts";
import { keepOwnerEdge } from "./facts.ts";
import { buildFactBase, encodeId, type Fact, type FactBase, type StableId } from "./pgDelta.ts";
import { quoteQualified } from "./quote.ts";
import type { Statement } from "./statements.ts";

/**
 * The database half-way, where a plan makes tables anew, such as for another partition key: without them and without all that stands on
 * them. The planner knows what belongs to such a table, but leaves a view or a key of another table standing, which the server refuses.
 *
 * @returns undefined for a plan that makes no table anew.
 */
export function withoutReplacedTables(
  statements: readonly Statement[],
  live: FactBase,
  wanted: FactBase,
): FactBase | undefined {
  const replaced = statements.flatMap(({ op, id }) =>
    op === "delete" && id?.kind === "table" && wanted.has(id) ? [id] : [],
  );
  if (replaced.length === 0) return undefined;
  return minus(live, { remove: standingOn(live, replaced), restore: [], reset: [] });
}

/** Encoded ids of the tables, of their parts and sequences, and of all that depends on those. */
function standingOn(live: FactBase, tables: readonly StableId[]): Set<string> {
  const sequences = live.facts().filter(({ id }) => id.kind === "sequence");
  const found = new Set<string>();
  const open = [...tables];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const key = encodeId(id);
    if (found.has(key)) continue;
    found.add(key);
    open.push(...live.childrenOf(id).map((fact) => fact.id));
    open.push(...live.incomingEdges(id).flatMap(({ kind, from }) => (kind === "depends" ? [from] : [])));
    open.push(...ownedBy(id, sequences));
  }
  return found;
}

/** Sequences that go with a column. */
function ownedBy(column: StableId, sequences: readonly Fact[]): StableId[] {
  if (column.kind !== "column") return [];
  return sequences.flatMap(({ id, payload: { ownedBy } }) => {
    if (typeof ownedBy !== "object" || ownedBy === null || !("column" in ownedBy)) return [];
    const isIts = ownedBy.schema === column.schema && ownedBy.table === column.table && ownedBy.column === column.name;
    return isIts ? [id] : [];
  });
}

/** As the planner words it that it makes a type anew, which goes by its old name until its columns are converted. */
const STEPS_ASIDE = /^ALTER TYPE (.+) RENAME TO ".*__pgdelta_replaced"$/;

/**
 * What is wanted, but with the types that a plan makes anew as the server makes them: an enum that loses a value has neither its
 * privileges, its owner nor its comment afterwards, and the planner does not give them again.
 *
 * @returns undefined for a plan that makes no type anew.
 */
export function withBareTypes(statements: readonly Statement[], wanted: FactBase): FactBase | undefined {
  const names = new Set(statements.flatMap(({ sql }) => STEPS_ASIDE.exec(sql)?.[1] ?? []));
  if (names.size === 0) return undefined;
  const isReplaced = (id: StableId | undefined): boolean =>
    id?.kind === "type" && names.has(quoteQualified(id.schema, id.name));
  const facts = wanted.facts().filter(({ parent }) => !isReplaced(parent));
  const open = wanted.facts().flatMap(({ id }) => (isReplaced(id) ? [openToAll(id)] : []));
  const edges = wanted.edges.filter((edge) => !(keepOwnerEdge(edge) && isReplaced(edge.from)));
  return buildFactBase([...facts, ...open], edges, wanted.source, undefined, { allowDangling: keepOwnerEdge });
}

/** What the server gives on a type of which nobody says anything. */
function openToAll(type: StableId): Fact {
  const id: StableId = { kind: "acl", target: type, grantee: "PUBLIC" };
  return { id, parent: type, payload: { privileges: ["USAGE"], grantable: [] } };
}
