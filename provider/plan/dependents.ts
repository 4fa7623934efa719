/**
 * Objects that the server does not allow to stay while another one is changed, though the planner leaves
 * them: they are dropped first and recreated after. The dependencies of the facts say which ones.
 */
import { describe } from "../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, parseId, type StableId } from "../catalog/pgDelta.ts";
import { text } from "../catalog/tables.ts";
import { isGenerated } from "../catalog/virtualColumns.ts";
import { type AttributeChange, revertContribution } from "../contribution/contribution.ts";
import { standingOn } from "./replacedObjects.ts";
import { typeChange } from "./typeChange.ts";
import { UnsupportedChangeError } from "./unsupportedChange.ts";

/**
 * Live without what stands on an object that cannot change beneath it. What the planner itself recreates
 * (indexes, views, policies, …) stays for it to order.
 *
 * @param recreated what has to go as well.
 * @returns undefined where nothing has to go.
 * @throws {UnsupportedChangeError} where a partition key stands on a function that has to be dropped.
 */
export function withoutDependents(
  live: FactBase,
  desired: FactBase,
  recreated: readonly StableId[] = [],
): FactBase | undefined {
  const roots: StableId[] = recreated.filter((id) => live.has(id));
  const reset: AttributeChange[] = [];
  for (const { id, on } of standingOnDropped(live, desired)) {
    if (id.kind === "aggregate" || isGenerated(live.get(id))) roots.push(id);
    else if (id.kind === "domain") reset.push({ id, attribute: "default", from: null, to: null });
    else if (id.kind === "table") throw keyOnDropped(id, on);
  }
  for (const fact of live.facts()) {
    if (fact.id.kind !== "column" || !desired.has(fact.id)) continue;
    if (text(fact, "type") !== text(desired.get(fact.id), "type")) roots.push(...usersOfType(fact, live, desired));
    if (fact.payload.collation !== desired.get(fact.id)?.payload.collation) roots.push(...readersOf(fact.id, live));
    if (isRemade(fact, desired)) roots.push(...publishedWith(fact.id, live));
  }
  if (roots.length + reset.length === 0) return undefined;
  return revertContribution(live, { remove: standingOn(live, roots), restore: [], reset });
}

/** Kinds that hold no rows: they may go and come back in a transaction. */
const HOLDS_NO_ROWS: ReadonlySet<StableId["kind"]> = new Set([
  "view",
  "rule",
  "policy",
  "trigger",
  "constraint",
  "index",
  "default",
  "function",
  "procedure",
  "aggregate",
]);

/** Their metadata goes and comes back with them. */
const METADATA: ReadonlySet<StableId["kind"]> = new Set(["comment", "acl", "securityLabel"]);

/**
 * What stands on an object that a statement changes: for another plan, in which it goes first and comes back
 * after, where the server has refused the statement.
 *
 * @returns nothing where nothing stands on it, or something that holds rows.
 */
export function recreatable(changed: StableId, live: FactBase): StableId[] {
  const parts = live.childrenOf(changed).map(({ id }) => id);
  const users = [changed, ...parts].flatMap((id) =>
    live.incomingEdges(id).flatMap(({ kind, from }) => (kind === "depends" ? [from] : [])),
  );
  const own = encodeId(changed);
  const roots = [...parts.filter(({ kind }) => HOLDS_NO_ROWS.has(kind)), ...users].filter((id) => encodeId(id) !== own);
  const goes = [...standingOn(live, roots)].map(parseId);
  return goes.every(({ kind }) => HOLDS_NO_ROWS.has(kind) || METADATA.has(kind)) ? roots : [];
}

/** What makes `CREATE OR REPLACE` impossible. */
const SIGNATURE = ["returnType", "argSignature", "language", "isWindow"];

/** Whether a routine is dropped, for good or to be recreated. */
function isDropped({ id, payload }: Fact, desired: FactBase): boolean {
  const next = desired.get(id);
  if (id.kind === "aggregate") return next !== undefined && JSON.stringify(next.payload) !== JSON.stringify(payload);
  if (id.kind !== "function" && id.kind !== "procedure") return false;
  return next === undefined || SIGNATURE.some((attribute) => next.payload[attribute] !== payload[attribute]);
}

/** What stays and stands on a routine that is dropped, however far, with that routine. */
function standingOnDropped(live: FactBase, desired: FactBase): { id: StableId; on: StableId }[] {
  const found = new Map<string, { id: StableId; on: StableId }>();
  const open = live.facts().flatMap((fact) => (isDropped(fact, desired) ? [{ id: fact.id, on: fact.id }] : []));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { kind, from } of live.incomingEdges(next.id)) {
      if (kind !== "depends" || found.has(encodeId(from)) || !desired.has(from)) continue;
      const user = { id: from, on: next.on };
      found.set(encodeId(from), user);
      if (from.kind !== "table" && from.kind !== "domain") open.push(user);
    }
  }
  return [...found.values()];
}

function keyOnDropped(table: StableId, routine: StableId): UnsupportedChangeError {
  return new UnsupportedChangeError(
    `${describe(routine)} has to be dropped for it, and the partition key of ${describe(table)} depends on that.`,
  );
}

/** Kinds that the server refuses under a column whose type changes, beside those that the planner knows. */
const USES_TYPE: ReadonlySet<StableId["kind"]> = new Set(["function", "procedure", "trigger"]);

function usersOfType({ id, payload }: Fact, live: FactBase, desired: FactBase): StableId[] {
  const isWidened = typeChange(String(payload.type), text(desired.get(id), "type")) !== "narrowing";
  return live.incomingEdges(id).flatMap(({ kind, from }) => {
    if (kind !== "depends") return [];
    if (USES_TYPE.has(from.kind) || isGenerated(live.get(from))) return [from];
    // Beside a foreign key the two columns could not change one after the other.
    if (from.kind === "constraint" && text(live.get(from), "type") === "f") return isWidened ? [] : [from];
    return from.kind === "publication" ? publishedWith(id, live) : [];
  });
}

/** What the planner makes again for another type of a column, but not for another collation. */
function readersOf(column: StableId, live: FactBase): StableId[] {
  return live.incomingEdges(column).flatMap(({ kind, from }) => {
    const isRefused = READS_COLUMN.has(from.kind) || USES_TYPE.has(from.kind) || isGenerated(live.get(from));
    if (kind === "depends" && isRefused) return [from];
    return from.kind === "publication" ? publishedWith(column, live) : [];
  });
}

const READS_COLUMN: ReadonlySet<StableId["kind"]> = new Set(["view", "materializedView", "rule", "policy"]);

/** Whether the planner drops a column and adds it again. */
function isRemade({ id, payload }: Fact, desired: FactBase): boolean {
  const next = desired.get(id);
  return next !== undefined && next.payload.generatedExpr !== payload.generatedExpr;
}

/** The places of a column's table in publications that name columns or rows of it. */
function publishedWith(column: StableId, live: FactBase): StableId[] {
  return live
    .incomingEdges(column)
    .flatMap(({ from }) =>
      from.kind === "publication" && column.kind === "column"
        ? [{ kind: "publicationRel", publication: from.name, schema: column.schema, table: column.table } as const]
        : [],
    );
}
