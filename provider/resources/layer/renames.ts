/**
 * Which declared renames of a layer are pending, and which are refused. Reading the comments is left to
 * `plan/renames/comments.ts`, the SQL to `plan/renames/renames.ts`.
 */
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { type TableId, tableId } from "../../catalog/tables.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import type { ContributionRecord } from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";
import { mentionedIn, newIds, renamedFacts, renamedRecord } from "../../plan/renames/renamedFacts.ts";
import {
  type LocatedRename,
  locate,
  ownedTable,
  partRenames,
  pendingRenames,
  type Rename,
  type TouchedTables,
  touchedTables,
} from "../../plan/renames/renames.ts";
import type { LayerMeaning } from "./meaning.ts";
import type { LayerRuntime } from "./runtime.ts";
import type { LayerSources } from "./sqlSources.ts";

/**
 * Renames of a layer whose tables and columns are among those it declares.
 *
 * @throws {UserError} that names each of the others with its place.
 */
export function locatedRenames({ renames }: LayerSources, contribution: Contribution): LocatedRename[] {
  if (renames.own.length === 0) return [];
  const added = new Set(contribution.added.map(({ id }) => encodeId(id)));
  const tables = new Map<string, TableId>();
  for (const { id } of contribution.added) {
    if (id.kind === "table") tables.set(encodeId(id), tableId(id.schema, id.name));
    // A layer may add a column to a table of its base.
    if (id.kind !== "column") continue;
    const table = tableId(id.schema, id.table);
    tables.set(encodeId(table), table);
  }
  const { located, faults } = locate(renames.own, [...tables.values()], (id) => added.has(encodeId(id)));
  if (faults.length > 0) throw new UserError("PS109", faults.join("\n"), { property: "files" });
  return located;
}

/**
 * The database and the record as they are once the renames are made, and these in their order.
 *
 * @throws {UserError} for renames that cannot be made.
 */
export async function withNewNames(
  runtime: LayerRuntime,
  { inputs, sources, contribution, earlier }: LayerMeaning,
  live: FactBase,
): Promise<{ live: FactBase; earlier: ContributionRecord | undefined; renames: Rename[] }> {
  const own = locatedRenames(sources, contribution);
  const below = locatedBelow(sources, live);
  const inRecord = earlier === undefined ? [] : renamesOfRecord([...below, ...own], earlier);
  const pending = pendingRenames(own, (id) => live.has(id));
  refuseImpossible(own, pending, { runtime, inputs, live, contribution, earlier });
  const settled = alreadyRenamed(inRecord, pending, live);
  if (pending.length === 0 && settled.size === 0) return { live, renames: [], earlier };

  const known = earlier && renamedRecord(earlier, newIds(inRecord));
  const pendingTables = new Set(pending.map(({ from }) => encodeId(from)));
  const isAdopted = (table: StableId | undefined): boolean =>
    table !== undefined &&
    earlier !== undefined &&
    !(encodeId(table) in earlier.added) &&
    pendingTables.has(encodeId(table));
  const isOurs = (id: StableId): boolean =>
    earlier === undefined ||
    encodeId(id) in earlier.added ||
    (known !== undefined && encodeId(id) in known.added) ||
    isAdopted(live.get(id)?.parent);
  const meant = pending.length === 0 ? contribution : await runtime.contributionBefore(pending, inputs, sources);
  const settledParts = partRenames(settled, live, meant, isOurs);
  const parts = partRenames(touchedTables(pending), live, meant, isOurs);
  const renames = [
    ...pending.filter(({ to }) => to.kind !== "table"),
    ...settledParts,
    ...parts,
    ...pending.filter(({ to }) => to.kind === "table"),
  ];
  const hasParts = settledParts.length + parts.length > 0;
  const before = hasParts ? await runtime.contributionBefore(renames, inputs, sources) : meant;
  const record = earlier && renamedRecord(earlier, newIds([...inRecord, ...parts]));
  return {
    live: renames.length === 0 ? live : renamedFacts(live, renames, before, contribution),
    renames,
    earlier: record && ownParts(renamedRecord(record, newIds(settledParts)), settled, contribution),
  };
}

/**
 * Tables that the record knows under an old name and the database under the new one: a layer below, or
 * somebody, renamed them.
 */
function alreadyRenamed(inRecord: readonly Rename[], pending: readonly Rename[], live: FactBase): TouchedTables {
  const toCome = new Set([...touchedTables(pending).values()].map(({ to }) => encodeId(to)));
  const tables = [...touchedTables(inRecord).values()].filter(({ to }) => !toCome.has(encodeId(to)) && live.has(to));
  return new Map(tables.map(({ to }) => [encodeId(to), { from: to, to }]));
}

/** Renames that layers of the base made. What is wrong with them, they say themselves. */
function locatedBelow({ renames }: LayerSources, live: FactBase): LocatedRename[] {
  if (renames.below.length === 0) return [];
  const tables = live.facts().flatMap(({ id }) => (id.kind === "table" ? [tableId(id.schema, id.name)] : []));
  return locate(renames.below, tables, (id) => live.has(id)).located;
}

/** A record from before the renames speaks of the old names. */
function renamesOfRecord(located: readonly LocatedRename[], record: ContributionRecord): Rename[] {
  const mentioned = located.length === 0 ? new Set<string>() : mentionedIn(record);
  return pendingRenames(located, (id) => mentioned.has(encodeId(id)));
}

/**
 * After an update that made renames but did not come to write its record: the new names of indexes, policies
 * and other parts of our tables are not in it, and are ours all the same.
 */
function ownParts(record: ContributionRecord, settled: TouchedTables, contribution: Contribution): ContributionRecord {
  const tables = new Set([...settled.keys()].filter((key) => key in record.added && !record.adopted.includes(key)));
  if (tables.size === 0) return record;
  const parts = contribution.added.flatMap((fact) => {
    const table = ownedTable(fact);
    return table !== undefined && tables.has(encodeId(table)) && !(encodeId(fact.id) in record.added)
      ? [encodeId(fact.id)]
      : [];
  });
  return { ...record, added: { ...record.added, ...Object.fromEntries(parts.map((key) => [key, ""])) } };
}

function refuseImpossible(
  located: readonly LocatedRename[],
  pending: readonly Rename[],
  context: Pick<LayerMeaning, "inputs" | "contribution" | "earlier"> & { runtime: LayerRuntime; live: FactBase },
): void {
  const faults = [
    ...bothThere(located, pending, context),
    ...heldByOthers(pending, context),
    ...unlike(pending, context),
  ];
  if (faults.length > 0) throw new UserError("PS109", `${faults.join("\n")}\nNothing was changed.`);
}

/** A rename that was made once may stay declared; one that nobody made meets an object of the new name. */
function bothThere(
  located: readonly LocatedRename[],
  pending: readonly Rename[],
  { live, contribution, earlier }: Pick<LayerMeaning, "contribution" | "earlier"> & { live: FactBase },
): string[] {
  const made = new Set(pending.map(({ to }) => encodeId(to)));
  const declared = new Set(contribution.added.map(({ id }) => encodeId(id)));
  return located.flatMap((rename) => {
    const { table, column, from, place } = rename;
    const now: StableId =
      column === undefined ? table : { kind: "column", schema: table.schema, table: table.name, name: column };
    const old: StableId =
      column === undefined
        ? tableId(from.schema ?? table.schema, from.name)
        : { ...now, kind: "column", schema: table.schema, table: table.name, name: from.name };
    if (made.has(encodeId(now)) || !live.has(now) || !live.has(old) || declared.has(encodeId(old))) return [];
    const isPast = earlier !== undefined && encodeId(now) in earlier.added && !(encodeId(old) in earlier.added);
    if (isPast) return [];
    return [
      `${place}: found both ${describe(old)} and ${describe(now)} in the database, expected only one of them. ` +
        "Move the rows of the old one and drop it by hand, or remove the rename from the layer if they are two different objects.",
    ];
  });
}

function heldByOthers(
  pending: readonly Rename[],
  { runtime, inputs }: Pick<LayerMeaning, "inputs"> & { runtime: LayerRuntime },
): string[] {
  const held = runtime.ownership.heldByOthers(inputs.name);
  return pending
    .filter(({ from }) => held.has(encodeId(from)))
    .map(
      ({ from }) =>
        `Found a rename of ${describe(from)}, which another layer declares, expected an object of the layer "${inputs.name}" itself.`,
    );
}

/**
 * Two tables that have hardly a column in common are not one; and a table cannot go to where no schema is.
 */
function unlike(
  pending: readonly Rename[],
  { live, contribution }: Pick<LayerMeaning, "contribution"> & { live: FactBase },
): string[] {
  const newId = newIds(pending);
  return pending.flatMap(({ from, to }) => {
    if (from.kind !== "table") return [];
    if (!live.has({ kind: "schema", name: to.schema })) {
      return [
        `Found a rename of ${describe(from)} into the schema ${to.schema}, which the database does not have. Expected an existing schema: ` +
          "first create the schema in an update of its own, then move the table in the next one.",
      ];
    }
    const old = live.childrenOf(from).flatMap(({ id }) => (id.kind === "column" ? [newId(id)] : []));
    const columns = contribution.added.flatMap(({ id, parent }) =>
      id.kind === "column" && parent !== undefined && encodeId(parent) === encodeId(to) ? [encodeId(id)] : [],
    );
    const kept = old.filter((id) => columns.includes(encodeId(id)));
    if (kept.length * 2 >= Math.min(old.length, columns.length)) return [];
    return [
      `Found ${describe(from)}, which shares ${kept.length} of ${old.length} columns with ${describe(to)}, expected the same table under another name. ` +
        "Is it the right one? Columns that are renamed along with it need a rename of their own.",
    ];
  });
}
