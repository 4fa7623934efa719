/**
 * A plan in parts, where tables are attached to parents or detached from them: the planner would drop and
 * recreate them. In between they stand alone, as the server has them then, and are planned like other
 * tables.
 */
import { factBaseOf } from "../../catalog/factBaseOf.ts";
import { inheritanceOf, parentsOf } from "../../catalog/inheritance.ts";
import { describe } from "../../catalog/objectNames.ts";
import { isReferredTo } from "../../catalog/partitions.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { type TableId, text } from "../../catalog/tables.ts";
import { revertContribution } from "../../contribution/contribution.ts";
import { UserError } from "../../core/errors.ts";
import { withName } from "../indexDefinition.ts";
import { standingOn } from "../replacedObjects.ts";
import type { StatementList } from "../statement.ts";
import { copySegments, withPartitions } from "./copySegments.ts";
import { joining, linkChanges, parting } from "./links.ts";
import type { Planner, Segment } from "./segment.ts";
import { withoutParents } from "./withoutParents.ts";

/** @throws {UserError} for a table that cannot become a partition, because it has other columns. */
export function segments(live: FactBase, desired: FactBase, plan: Planner, { isCopy = false } = {}): Segment[] {
  const changes = linkChanges(live, desired, isCopy);
  const isTogether = changes.released.length > 0;
  const between = (from: FactBase, to: FactBase): Segment[] => {
    const copied = copySegments(from, to, plan);
    if (copied !== undefined) return copied;
    const list = plan(from, to);
    return list.statements.length === 0 ? [] : [{ live: from, desired: to, list, isLinking: false, isTogether }];
  };
  if (changes.parted.length + changes.joined.length + changes.rebound.length === 0) return between(live, desired);
  refuseOtherColumns(changes.joined, desired);
  const free = without(live, keysTo(changes.released, live, live));
  const parted = withoutParents(free, changes.parted);
  const parents = [...changes.rebound, ...changes.joined].flatMap((table) => parentsOf(desired.get(table)));
  // A new partition may take the place that another one gives up.
  const whole = without(desired, [
    ...newPartitionsOf(parents, live, desired).filter((id) => !changes.joined.some((table) => isEqual(table, id))),
    ...keysTo([...changes.rebound, ...changes.released], live, desired),
  ]);
  const alone = withKnownNames(parted, withoutParents(whole, changes.joined), changes.joined);
  const bounded = withBoundsOf(live, alone, changes.rebound);
  const linking = [
    ...changes.rebound.flatMap((table) => parting(table, live)),
    ...inJoiningOrder([...changes.rebound, ...changes.joined], desired).flatMap((table) => joining(table, desired)),
  ];
  const part = (statements: StatementList["statements"], from: FactBase, to: FactBase): Segment[] =>
    statements.length === 0
      ? []
      : [{ live: from, desired: to, list: { statements, settings: [] }, isLinking: true, isTogether }];
  return [
    ...between(live, free),
    ...part(
      changes.parted.flatMap((table) => parting(table, live)),
      free,
      parted,
    ),
    ...between(parted, bounded).map((segment) => ({ ...segment, parted: withPartitions(changes.parted, parted) })),
    ...part(linking, bounded, whole),
    ...between(whole, desired),
  ];
}

/** Statements of all parts, in order. */
export function joinedLists(lists: readonly StatementList[]): StatementList {
  const settings = new Map(lists.flatMap((list) => list.settings).map((setting) => [setting.name, setting]));
  return { statements: lists.flatMap(({ statements }) => statements), settings: [...settings.values()] };
}

/**
 * Partitions of partitions come first, and a default partition comes last: beside it the server looks
 * through its rows for each that comes.
 */
function inJoiningOrder(tables: readonly TableId[], facts: FactBase): TableId[] {
  const depth = (table: TableId): number =>
    Math.max(0, ...parentsOf(facts.get(table)).map((parent) => depth(parent) + 1));
  const isDefault = (table: TableId): number => (text(facts.get(table), "partitionBound") === "DEFAULT" ? 1 : 0);
  return [...tables].sort((a, b) => depth(b) - depth(a) || isDefault(a) - isDefault(b));
}

function refuseOtherColumns(joined: readonly TableId[], desired: FactBase): void {
  for (const table of joined) {
    const fact = desired.get(table);
    if (text(fact, "partitionBound") === "") continue;
    const inherited = inheritanceOf(fact)?.columns.map(({ name }) => name) ?? [];
    const extra = desired
      .childrenOf(table)
      .flatMap(({ id }) => (id.kind === "column" && !inherited.includes(id.name) ? [id.name] : []));
    if (extra.length === 0) continue;
    throw new UserError(
      "PS213",
      `Found columns of ${describe(table)} that no file declares: ${extra.join(", ")}. It is to become a partition of ${parentsOf(fact).map(describe).join(", ")}, ` +
        "which has no such columns, and a partition has exactly the columns of its table. Expected the same columns: drop these, or declare them in the table. Nothing was changed.",
    );
  }
}

/** Facts without some objects and all that depends on those. */
const without = (facts: FactBase, ids: readonly StableId[]): FactBase =>
  revertContribution(facts, { remove: standingOn(facts, ids), restore: [], reset: [] });

const isEqual = (a: StableId, b: StableId): boolean => encodeId(a) === encodeId(b);

function newPartitionsOf(parents: readonly TableId[], live: FactBase, desired: FactBase): StableId[] {
  const keys = new Set(parents.map(encodeId));
  return desired.facts().flatMap((fact) => {
    const isNew = fact.id.kind === "table" && !live.has(fact.id) && text(fact, "partitionBound") !== "";
    return isNew && parentsOf(fact).some((parent) => keys.has(encodeId(parent))) ? [fact.id] : [];
  });
}

/** Foreign keys that refer to a table whose partition is for a moment none: the server refuses that. */
function keysTo(rebound: readonly TableId[], live: FactBase, desired: FactBase): StableId[] {
  const parents = rebound.flatMap((table) => parentsOf(live.get(table))).filter((parent) => isReferredTo(parent, live));
  return parents.flatMap((parent) => foreignKeysTo(parent, desired));
}

function foreignKeysTo(table: TableId, facts: FactBase): StableId[] {
  const keys = facts.childrenOf(table).filter(({ id }) => id.kind === "constraint" || id.kind === "index");
  const own = keys.flatMap(({ id }) =>
    facts.incomingEdges(id).flatMap(({ from }) => (text(facts.get(from), "type") === "f" ? [from] : [])),
  );
  return [...own, ...parentsOf(facts.get(table)).flatMap((parent) => foreignKeysTo(parent, facts))];
}

function withBoundsOf(live: FactBase, facts: FactBase, tables: readonly TableId[]): FactBase {
  if (tables.length === 0) return facts;
  const bounds = new Map(tables.map((table) => [encodeId(table), live.get(table)?.payload.partitionBound]));
  const changed = facts.facts().map((fact): Fact => {
    const bound = bounds.get(encodeId(fact.id));
    return bound === undefined ? fact : { ...fact, payload: { ...fact.payload, partitionBound: bound } };
  });
  return factBaseOf(changed, facts.edges, facts);
}

/**
 * What a table that is to be joined has already under another name need not be built again: the server takes
 * an index or a key of the same definition for that of the parent.
 */
function withKnownNames(live: FactBase, alone: FactBase, joined: readonly TableId[]): FactBase {
  const names = new Map<string, Fact>();
  const gone = new Set<string>();
  for (const table of joined) {
    // One that no layer declares stays, and is taken as well.
    const present = live.childrenOf(table);
    for (const fact of alone.childrenOf(table)) {
      if (live.has(fact.id)) continue;
      const known = present.find((one) => !names.has(encodeId(one.id)) && isSame(one, fact));
      if (known === undefined) continue;
      names.set(encodeId(known.id), alone.get(known.id) ?? known);
      gone.add(encodeId(fact.id));
    }
  }
  if (gone.size === 0) return alone;
  const rest = alone.facts().filter(({ id }) => !gone.has(encodeId(id)));
  const edges = live.edges.filter(({ kind, from }) => kind === "depends" && names.has(encodeId(from)));
  return factBaseOf([...rest, ...names.values()], [...alone.edges, ...edges], alone);
}

function isSame(a: Fact, b: Fact): boolean {
  if (a.id.kind === "index" && b.id.kind === "index")
    return withName(text(a, "def"), { name: b.id.name }) === text(b, "def");
  const isKey = a.id.kind === "constraint" && b.id.kind === "constraint" && text(a, "type") !== "c";
  return (
    isKey && text(a, "type") === text(b, "type") && text(a, "def") === text(b, "def") && a.payload.validated === true
  );
}
