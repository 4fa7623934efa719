/** Which tables are attached to parents or detached from them, and the statements that do so. */
import { inheritanceOf, parentsOf } from "../../catalog/inheritance.ts";
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { quoteQualified } from "../../catalog/quote.ts";
import { asTable, type TableId, text } from "../../catalog/tables.ts";
import type { Statement } from "../statement.ts";

/** Tables by what becomes of their parents. */
export interface LinkChanges {
  /** Parted from the parents that they have now. */
  parted: TableId[];
  /** Joined to the parents that they are to have, once they stand alone. */
  joined: TableId[];
  /** Partitions that stay with their parent, with another bound. */
  rebound: TableId[];
  /**
   * Of those parted and joined, partitions that stay as they are: an index that a partition has for one of
   * its parent becomes its own, or the other way round, only while the partition is none.
   */
  released: TableId[];
}

/**
 * A new table is made with its parents.
 *
 * @param isCopy new partitions are joined, too: so their indexes and keys get the names of `desired`.
 */
export function linkChanges(live: FactBase, desired: FactBase, isCopy: boolean): LinkChanges {
  const copied = new Set(repartitioned(live, desired).map(encodeId));
  const copiedAbove = (table: TableId, facts: FactBase): string[] =>
    parentsOf(facts.get(table)).flatMap((parent) => {
      const key = encodeId(parent);
      return [...(copied.has(key) ? [key] : []), ...copiedAbove(parent, facts)];
    });
  // Its rows go through the copy of a table above it, which finds their partitions.
  const isCopiedAlong = (table: TableId): boolean => {
    const after = copiedAbove(table, desired);
    return (
      text(desired.get(table), "partitionBound") !== "" && copiedAbove(table, live).some((key) => after.includes(key))
    );
  };
  const changes: LinkChanges = { parted: [], joined: [], rebound: [], released: [] };
  for (const fact of desired.facts()) {
    const id = asTable(fact.id);
    if (id === undefined) continue;
    const [was, is] = [live.get(id), desired.get(id)];
    const before = parentsOf(was).map(encodeId);
    const after = parentsOf(is).map(encodeId);
    const isNew = was === undefined && (!isCopy || text(is, "partitionBound") === "");
    if (isNew || before.length + after.length === 0) continue;
    if (copied.has(encodeId(id)) || isCopiedAlong(id)) continue;
    const isPending = inheritanceOf(was)?.isPending === true;
    const isPartition = text(was, "partitionBound") !== "";
    const isSame = before.join() === after.join() && isPartition === (text(is, "partitionBound") !== "");
    const isReleased = isSame && changesHands(id, live, desired);
    if (isSame && !isPending && !isReleased) {
      if (text(was, "partitionBound") !== text(is, "partitionBound")) changes.rebound.push(id);
      continue;
    }
    if (isReleased) changes.released.push(id);
    if (before.length > 0) changes.parted.push(id);
    if (after.length > 0) changes.joined.push(id);
  }
  return changes;
}

/** Tables whose rows are to lie in partitions, in others, or in none any more. */
export function repartitioned(live: FactBase, desired: FactBase): TableId[] {
  return desired.facts().flatMap(({ id, payload }) => {
    const was = live.get(id);
    const isOne = id.kind === "table" && was !== undefined && was.payload.partitionKey !== payload.partitionKey;
    return isOne ? (asTable(id) ?? []) : [];
  });
}

function changesHands(table: TableId, live: FactBase, desired: FactBase): boolean {
  const { keys = [], constraints = [], indexes = [] } = inheritanceOf(live.get(table)) ?? {};
  const { schema } = table;
  const isOwn = (id: StableId): boolean => {
    const parent = desired.get(id)?.parent;
    return parent !== undefined && encodeId(parent) === encodeId(table);
  };
  return (
    keys.some(({ schema, index }) => !desired.has({ kind: "index", schema, name: index })) ||
    indexes.some(({ name }) => isOwn({ kind: "index", schema, name })) ||
    constraints.some(
      ({ name, payload }) => payload.type !== "c" && isOwn({ kind: "constraint", schema, table: table.name, name }),
    )
  );
}

/** The default partition of a table. */
export function defaultPartitionOf(parent: TableId, facts: FactBase): TableId | undefined {
  const key = encodeId(parent);
  const found = facts
    .facts()
    .find(
      (fact) =>
        fact.id.kind === "table" &&
        text(fact, "partitionBound") === "DEFAULT" &&
        parentsOf(fact).some((one) => encodeId(one) === key),
    );
  return asTable(found?.id);
}

const quoted = ({ schema, name }: TableId): string => quoteQualified(schema, name);

/** @param facts in which the table has the parents. */
export function parting(table: TableId, facts: FactBase): Statement[] {
  const isPartition = text(facts.get(table), "partitionBound") !== "";
  const isPending = inheritanceOf(facts.get(table))?.isPending === true;
  return parentsOf(facts.get(table)).map((parent) => {
    const others = [parent, defaultPartitionOf(parent, facts)].filter((other) => other !== undefined);
    return isPartition
      ? linking(
          table,
          `ALTER TABLE ${quoted(parent)} DETACH PARTITION ${quoted(table)}${isPending ? " FINALIZE" : ""}`,
          {
            subject: `${describe(table)}, detached from ${describe(parent)}`,
            others,
            consumes: [parent],
          },
        )
      : linking(table, `ALTER TABLE ${quoted(table)} NO INHERIT ${quoted(parent)}`, {
          subject: `${describe(table)}, no longer inheriting from ${describe(parent)}`,
          others: [],
          consumes: [parent],
        });
  });
}

/** @param facts in which the table has the parents. */
export function joining(table: TableId, facts: FactBase): Statement[] {
  const bound = text(facts.get(table), "partitionBound");
  return parentsOf(facts.get(table)).map((parent) => {
    const byDefault = defaultPartitionOf(parent, facts);
    return bound === ""
      ? linking(table, `ALTER TABLE ${quoted(table)} INHERIT ${quoted(parent)}`, {
          subject: `${describe(table)}, inheriting from ${describe(parent)}`,
          others: [],
          consumes: [parent],
        })
      : linking(table, `ALTER TABLE ${quoted(parent)} ATTACH PARTITION ${quoted(table)} ${bound}`, {
          subject: `${describe(table)}, attached to ${describe(parent)}`,
          others: byDefault === undefined || encodeId(byDefault) === encodeId(table) ? [] : [byDefault],
          consumes: [parent],
        });
  });
}

/** A change of the catalog alone, unless rows have to be read for it. */
export function linking(
  table: TableId,
  sql: string,
  { subject, others, consumes }: { subject: string; others: readonly TableId[]; consumes: readonly TableId[] },
): Statement {
  return {
    sql,
    op: "update",
    object: describe(table),
    id: table,
    subject,
    lock: "ACCESS EXCLUSIVE",
    locksToo: others,
    transaction: "shared",
    work: "catalog",
    drops: [],
    rewrites: false,
    destructive: false,
    consumes: [table, ...others, ...consumes].map(encodeId),
  };
}
