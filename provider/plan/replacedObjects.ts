/**
 * What has to go while a table or type is recreated, and comes back after. Single dependents of a changed
 * object are left to `dependents.ts`.
 */

import { buildFactBase } from "../catalog/factBase.ts";
import { asObject } from "../catalog/kinds/kind.ts";
import { describe } from "../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, parseId, type StableId } from "../catalog/pgDelta.ts";
import { quoteQualified } from "../catalog/quote.ts";
import { keepOwnerEdge } from "../catalog/readCatalog.ts";
import { isGenerated } from "../catalog/virtualColumns.ts";
import { revertContribution } from "../contribution/contribution.ts";
import type { Statement } from "./statement.ts";
import { UnsupportedChangeError } from "./unsupportedChange.ts";

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
  const objects = objectsInTheWay(statements, live, desired);
  if (tables.length + refused.length + objects.length === 0) return undefined;
  const remove = standingOn(live, [...tables, ...refused, ...objects]);
  refuseLosses(objects, remove, desired);
  return revertContribution(live, { remove, restore: [], reset: [] });
}

/**
 * Of the kinds that the planner knows by their statements alone: those that it recreates, and those that
 * stand on something that it recreates or gives another type. They go first and come back after, with what
 * stands on them.
 */
function objectsInTheWay(statements: readonly Statement[], live: FactBase, desired: FactBase): StableId[] {
  const isStaying = (id: StableId): boolean => asObject(id) !== undefined && live.has(id) && desired.has(id);
  const remade = statements.flatMap(({ op, id }) => (op === "delete" && id && desired.has(id) ? [id] : []));
  const types = new Set(statements.flatMap(({ sql }) => STEPS_ASIDE.exec(sql)?.[1] ?? []));
  const aside = live.facts().flatMap(({ id }) => {
    const isAside = types.size > 0 && id.kind === "type" && types.has(quoteQualified(id.schema, id.name));
    return isAside ? [id] : [];
  });
  const retyped = statements.flatMap(({ op, id, sql }) =>
    op === "update" && id?.kind === "column" && / ALTER COLUMN "(?:[^"]|"")+" TYPE /.test(sql) ? [id] : [],
  );
  const lost = retyped.flatMap((id) =>
    live.childrenOf(id).flatMap((child) => (isLostWithType(child.id) ? [child.id] : [])),
  );
  const standing = [...standingOn(live, [...remade, ...aside])].map(parseId);
  const keys = new Set(remade.map(encodeId));
  // The planner recreates a part with its whole.
  const isPart = (id: StableId): boolean => {
    const parent = live.get(id)?.parent;
    return parent !== undefined && (keys.has(encodeId(parent)) || isPart(parent));
  };
  return [...remade, ...standing.filter((id) => !isPart(id)), ...lost].filter(isStaying);
}

/** The server gives a column of another type the storage of that. */
const isLostWithType = (id: StableId): boolean =>
  ["storage of column", "compression of column"].includes(asObject(id)?.intentKind ?? "");

/** What holds rows is not recreated for the sake of an operator. */
function refuseLosses(objects: readonly StableId[], removed: ReadonlySet<string>, desired: FactBase): void {
  for (const object of objects) {
    const lost = [...standingOn(desired, [object])]
      .map(parseId)
      .find(
        (id) =>
          (id.kind === "table" || (id.kind === "column" && !isGenerated(desired.get(id)))) && removed.has(encodeId(id)),
      );
    if (lost !== undefined)
      throw new UnsupportedChangeError(
        `${describe(object)} has to be recreated for it, and ${describe(lost)} stands on that.`,
      );
  }
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
  return buildFactBase([...facts, ...open], edges, desired.source, { allowDangling: keepOwnerEdge });
}

/** What the server gives on a type of which nothing is said. */
function openToAll(type: StableId): Fact {
  const id: StableId = { kind: "acl", target: type, grantee: "PUBLIC" };
  return { id, parent: type, payload: { privileges: ["USAGE"], grantable: [] } };
}
