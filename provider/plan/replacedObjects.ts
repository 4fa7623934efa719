/**
 * What has to go while a table or type is recreated, and comes back after. Single dependents of a changed
 * object are left to `dependents.ts`.
 */
import { buildFactBase, encodeId, type Fact, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteQualified } from "../catalog/quote.ts";
import { keepOwnerEdge } from "../catalog/readCatalog.ts";
import { isGenerated } from "../catalog/virtualColumns.ts";
import { revertContribution } from "../contribution/contribution.ts";
import type { Statement } from "./statement.ts";

/**
 * How the planner says that it recreates a type, which keeps its old name until its columns are
 * converted.
 */
const STEPS_ASIDE = /^ALTER TYPE (.+) RENAME TO ".*__pgdelta_replaced"$/;

/**
 * The intermediate state of the database where a plan recreates tables or types: without what the server
 * refuses to leave standing meanwhile, though the planner does. Of a table, recreated such as for another
 * partition key, that is all that stands on it: views, keys of other tables. Of a type, such as an enum
 * that loses a value, the policies that read a column of it.
 *
 * @returns undefined for a plan that needs no such detour.
 */
export function intermediateState(
  statements: readonly Statement[],
  live: FactBase,
  desired: FactBase,
): FactBase | undefined {
  const tables = statements.flatMap(({ op, id }) =>
    op === "delete" && id?.kind === "table" && desired.has(id) ? [id] : [],
  );
  const isTypeReplaced = statements.some(({ sql }) => STEPS_ASIDE.test(sql));
  const converted = statements.flatMap(({ op, id, rewrites }) =>
    isTypeReplaced && op === "update" && rewrites && id?.kind === "column" ? [id] : [],
  );
  const refused = converted.flatMap((id) =>
    live
      .incomingEdges(id)
      .flatMap(({ from }) => (REFUSED_UNDER_TYPE.has(from.kind) || isGenerated(live.get(from)) ? [from] : [])),
  );
  if (tables.length + refused.length === 0) return undefined;
  return revertContribution(live, { remove: standingOn(live, [...tables, ...refused]), restore: [], reset: [] });
}

const REFUSED_UNDER_TYPE: ReadonlySet<StableId["kind"]> = new Set(["policy", "function", "procedure", "trigger"]);

/** Encoded ids of the tables, of their parts and sequences, and of all that depends on those. */
export function standingOn(live: FactBase, tables: readonly StableId[]): Set<string> {
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

/**
 * What is desired, but with the types that a plan recreates as the server makes them: an enum that loses a
 * value has neither its privileges, its owner nor its comment afterwards, and the planner does not give them
 * again.
 *
 * @returns undefined for a plan that recreates no type.
 */
export function withBareTypes(statements: readonly Statement[], desired: FactBase): FactBase | undefined {
  const names = new Set(statements.flatMap(({ sql }) => STEPS_ASIDE.exec(sql)?.[1] ?? []));
  if (names.size === 0) return undefined;
  const isReplaced = (id: StableId | undefined): boolean =>
    id?.kind === "type" && names.has(quoteQualified(id.schema, id.name));
  const facts = desired.facts().filter(({ parent }) => !isReplaced(parent));
  const open = desired.facts().flatMap(({ id }) => (isReplaced(id) ? [openToAll(id)] : []));
  const edges = desired.edges.filter((edge) => !(keepOwnerEdge(edge) && isReplaced(edge.from)));
  return buildFactBase([...facts, ...open], edges, desired.source, undefined, { allowDangling: keepOwnerEdge });
}

/** What the server gives on a type of which nothing is said. */
function openToAll(type: StableId): Fact {
  const id: StableId = { kind: "acl", target: type, grantee: "PUBLIC" };
  return { id, parent: type, payload: { privileges: ["USAGE"], grantable: [] } };
}
