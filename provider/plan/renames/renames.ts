/**
 * Renames of tables and columns: which of those declared are still to be made, what the server calls their
 * indexes, constraints and sequences, and the SQL. Pure functions; `from` is always a name as the database
 * has it before all of them, `to` as it is after.
 */

import { describe } from "../../catalog/objectNames.ts";
import { contentHash, encodeId, type Fact, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { type TableId, tableId, text } from "../../catalog/tables.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import type { Lock, Statement } from "../statement.ts";
import type { DeclaredRename, TableName } from "./comments.ts";

type PartId = { kind: "column" | "constraint"; schema: string; table: string; name: string };
type RelationId = { kind: "index" | "sequence"; schema: string; name: string };

/** One object under its old and its new name. */
export type Rename = RenameOf<TableId | PartId | RelationId>;

interface RenameOf<Id> {
  from: Id;
  to: Id;
}

/** A declared rename whose table is known. */
export interface LocatedRename {
  table: TableId;
  column?: string;
  from: TableName;
  place: string;
}

const columnId = ({ schema, name: table }: TableId, name: string): PartId => ({ kind: "column", schema, table, name });

/**
 * Finds the tables and columns that declarations speak of.
 *
 * @param has whether a table or column is one that may be renamed.
 * @returns what is wrong with the others, each with its place.
 */
export function locate(
  declared: readonly DeclaredRename[],
  tables: readonly TableId[],
  has: (id: StableId) => boolean,
): { located: LocatedRename[]; faults: string[] } {
  const located: LocatedRename[] = [];
  const faults: string[] = [];
  for (const { table: name, column, from, place } of declared) {
    const found = tables.filter((id) => id.name === name.name && (name.schema ?? id.schema) === id.schema);
    const written = [name.schema, name.name, column].filter((part) => part !== undefined).join(".");
    const [table] = found;
    if (table === undefined || (column !== undefined && found.length === 1 && !has(columnId(table, column)))) {
      faults.push(
        `${place}: found a rename of ${column === undefined ? "the table" : "the column"} ${written}, which the layer does not declare. Expected one of its own tables or columns under its new name.`,
      );
    } else if (found.length > 1) {
      faults.push(
        `${place}: found ${found.map(describe).join(" and ")}, expected one. Write the schema before the name.`,
      );
    } else located.push({ table, ...(column === undefined ? {} : { column }), from, place });
  }
  return { located, faults: [...faults, ...contradictions(located)] };
}

const newName = ({ table, column }: LocatedRename): string =>
  encodeId(column === undefined ? table : columnId(table, column));
const oldName = ({ table, column, from }: LocatedRename): string =>
  encodeId(column === undefined ? tableId(from.schema ?? table.schema, from.name) : columnId(table, from.name));

function contradictions(located: readonly LocatedRename[]): string[] {
  const faults: string[] = [];
  const byNew = new Map<string, LocatedRename>();
  const byOld = new Map<string, LocatedRename>();
  for (const rename of located) {
    const twice = byNew.get(newName(rename)) ?? byOld.get(oldName(rename));
    const isSame = twice !== undefined && newName(twice) === newName(rename) && oldName(twice) === oldName(rename);
    if (twice !== undefined && !isSame)
      faults.push(
        `${rename.place}: found a rename that contradicts the one at ${twice.place}, expected one old name for each new one.`,
      );
    byNew.set(newName(rename), rename);
    byOld.set(oldName(rename), rename);
  }
  for (const start of located) {
    const seen = new Set<LocatedRename>();
    for (let at: LocatedRename | undefined = start; at !== undefined && !seen.has(at); at = byNew.get(oldName(at))) {
      seen.add(at);
      if (oldName(at) !== newName(start)) continue;
      faults.push(
        `${start.place}: found renames in a cycle, so the database does not show whether they were made already. Expected two updates: one to an unused name, and one from there.`,
      );
      break;
    }
  }
  return faults;
}

/**
 * Those that are still to be made, in an order in which each new name is free: the old name is there, and the
 * new one is not, or goes to another one. Columns come before their tables.
 */
export function pendingRenames(located: readonly LocatedRename[], has: (id: StableId) => boolean): Rename[] {
  const tables = choose(
    located.flatMap(({ table, column, from }) =>
      column === undefined ? [{ from: tableId(from.schema ?? table.schema, from.name), to: table }] : [],
    ),
    has,
  );
  const before = new Map(tables.map(({ from, to }) => [encodeId(to), from]));
  const columns = choose(
    located.flatMap(({ table, column, from }) => {
      if (column === undefined) return [];
      const old = before.get(encodeId(table)) ?? table;
      return [{ from: columnId(old, from.name), to: columnId(table, column) }];
    }),
    has,
    ({ to, from }) => columnId(tableId(from.schema, from.table), to.name),
  );
  return [...columns, ...tables];
}

/** @param beforeOthers the new name as it would be with the table's old one. */
function choose<Id extends StableId>(
  renames: readonly RenameOf<Id>[],
  has: (id: StableId) => boolean,
  beforeOthers: (rename: RenameOf<Id>) => StableId = ({ to }) => to,
): RenameOf<Id>[] {
  const chosen: RenameOf<Id>[] = [];
  const unique = new Map(renames.map((rename) => [encodeId(rename.to), rename]));
  for (;;) {
    const freed = new Set(chosen.map(({ from }) => encodeId(from)));
    const next = [...unique.values()].find((rename) => {
      const target = beforeOthers(rename);
      return !chosen.includes(rename) && has(rename.from) && (!has(target) || freed.has(encodeId(target)));
    });
    if (next === undefined) return chosen;
    chosen.push(next);
  }
}

/** Tables by their encoded old names. */
export type TouchedTables = Map<string, RenameOf<TableId>>;

/** Tables that are renamed or have a column that is. */
export function touchedTables(renames: readonly Rename[]): TouchedTables {
  const touched: TouchedTables = new Map();
  for (const { from, to } of renames) {
    if (from.kind === "column" && to.kind === "column") {
      const [old, now] = [tableId(from.schema, from.table), tableId(to.schema, to.table)];
      touched.set(encodeId(old), { from: old, to: now });
    } else if (from.kind === "table" && to.kind === "table") touched.set(encodeId(from), { from, to });
  }
  return touched;
}

/**
 * Indexes, constraints and sequences of renamed tables and columns, which keep their old names on the server
 * while the files give them new ones: the same under another name is renamed, not built again.
 *
 * @param touched tables, under the names that `live` and `before` have for them.
 * @param before what the layer means with the tables and columns under their old names.
 * @param isOurs whether the layer may rename it.
 */
export function partRenames(
  touched: TouchedTables,
  live: FactBase,
  before: Contribution,
  isOurs: (id: StableId) => boolean,
): Rename[] {
  const present = partsOf(live.facts(), touched);
  const meant = partsOf(before.added, touched);
  const meantIds = new Set(meant.map(({ id }) => encodeId(id)));
  const open = present.filter(({ id }) => !meantIds.has(encodeId(id)) && (id.kind === "sequence" || isOurs(id)));
  const found: Rename[] = [];
  const paired = new Set<string>();
  for (const { id, table, shape } of meant) {
    if (id.kind !== "sequence" && live.has(id)) continue;
    const match = open.find((part) => part.shape === shape && !paired.has(encodeId(part.id)));
    if (match === undefined) continue;
    paired.add(encodeId(match.id));
    found.push(renamedPart(match.id, id.name, table));
  }
  // What goes along with a table to another schema changes its name without a statement of its own.
  const moved = present.filter(
    ({ id, table }) => id.kind !== "constraint" && table.from.schema !== table.to.schema && !paired.has(encodeId(id)),
  );
  return [...inFreeOrder(found), ...moved.map(({ id, table }) => renamedPart(id, id.name, table))];
}

/** So that each new name is free: indexes, sequences and most constraints share the names of a schema. */
function inFreeOrder(renames: readonly Rename[]): Rename[] {
  const open = [...renames];
  const ordered: Rename[] = [];
  const key = (schema: string, name: string): string => encodeId(tableId(schema, name));
  while (open.length > 0) {
    const taken = new Set(open.map(({ from }) => key(from.schema, from.name)));
    const free = open.findIndex(({ from, to }) => !taken.has(key(from.schema, to.name)));
    ordered.push(...open.splice(Math.max(0, free), 1));
  }
  return ordered;
}

interface Part {
  id: RelationId | PartId;
  table: RenameOf<TableId>;
  /** Equal for what is the same but for its name. */
  shape: string;
}

function renamedPart(from: RelationId | PartId, name: string, { to: table }: Part["table"]): Rename {
  if ("table" in from) return { from, to: { ...from, schema: table.schema, table: table.name, name } };
  return { from, to: { ...from, schema: table.schema, name } };
}

function partsOf(facts: readonly Fact[], touched: ReadonlyMap<string, Part["table"]>): Part[] {
  return facts.flatMap((fact): Part[] => {
    const { id, parent, payload } = fact;
    const table = parent === undefined ? undefined : touched.get(encodeId(parent));
    if (id.kind === "constraint" && table !== undefined)
      return [{ id: { ...id, kind: "constraint" }, table, shape: contentHash(payload) }];
    if (id.kind === "index" && table !== undefined)
      return [{ id: { ...id, kind: "index" }, table, shape: text(fact, "def").replace(INDEX_NAME, "$1") }];
    const sequence = ownedSequence(fact);
    const owner = sequence === undefined ? undefined : touched.get(encodeId(tableId(sequence.schema, sequence.table)));
    if (sequence === undefined || owner === undefined) return [];
    return [{ id: sequence.id, table: owner, shape: `sequence of ${encodeId(sequence.column)}` }];
  });
}

const INDEX_NAME = /^(CREATE (?:UNIQUE )?INDEX )(?:"(?:[^"]|"")+"|\S+)/;

interface OwnedSequence {
  id: RelationId;
  column: StableId;
  schema: string;
  table: string;
}

/** The sequence of a serial column, which is a fact, or of an identity column, which is a part of it. */
function ownedSequence({ id, payload }: Fact): OwnedSequence | undefined {
  if (id.kind === "sequence") {
    const { schema, table, column } = textsOf(payload.ownedBy);
    if (schema === undefined || table === undefined || column === undefined) return undefined;
    return { id: { ...id, kind: "sequence" }, column: { kind: "column", schema, table, name: column }, schema, table };
  }
  if (id.kind !== "column") return undefined;
  const sequence = typeof payload.identity === "object" && payload.identity !== null ? payload.identity : {};
  const { schema, name } = textsOf("sequence" in sequence ? sequence.sequence : undefined);
  if (schema === undefined || name === undefined) return undefined;
  return { id: { kind: "sequence", schema, name }, column: id, schema: id.schema, table: id.table };
}

/**
 * The table that something is a part of by its own name: a column, a constraint, a policy, an index, a
 * sequence.
 */
export function ownedTable(fact: Fact): TableId | undefined {
  const { id, parent } = fact;
  if ("table" in id && "name" in id) return tableId(id.schema, id.table);
  if (id.kind === "index") return parent?.kind === "table" ? tableId(parent.schema, parent.name) : undefined;
  const sequence = id.kind === "sequence" ? ownedSequence(fact) : undefined;
  return sequence === undefined ? undefined : tableId(sequence.schema, sequence.table);
}

/** The texts of a nested value of a payload. */
export function textsOf(value: unknown): Partial<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => (typeof part === "string" ? [[key, part]] : [])),
  );
}

/**
 * Statements of a rename, in the names that hold before all renames of tables; none where only the schema
 * goes along.
 */
export function renameSql({ from, to }: Rename): string[] {
  return change(from, to, from);
}

/** Statements that take a rename back, in the same names. */
export function undoSql({ from, to }: Rename): string[] {
  return change(to, from, from);
}

/**
 * @param space a name of the table or schema that holds while the statement runs; a table itself is found by
 * its own.
 */
function change(now: Rename["from"], then: Rename["from"], space: Rename["from"]): string[] {
  const rename = `RENAME TO ${quoteIdent(then.name)}`;
  if (now.kind === "table") {
    const moves = now.schema !== then.schema;
    return [
      ...(moves ? [`ALTER TABLE ${quoteQualified(now.schema, now.name)} SET SCHEMA ${quoteIdent(then.schema)}`] : []),
      ...(now.name === then.name ? [] : [`ALTER TABLE ${quoteQualified(then.schema, now.name)} ${rename}`]),
    ];
  }
  if (now.name === then.name) return [];
  if ("table" in space) {
    const part = now.kind === "column" ? "COLUMN" : "CONSTRAINT";
    return [
      `ALTER TABLE ${quoteQualified(space.schema, space.table)} RENAME ${part} ${quoteIdent(now.name)} TO ${quoteIdent(then.name)}`,
    ];
  }
  return [`ALTER ${now.kind.toUpperCase()} ${quoteQualified(space.schema, now.name)} ${rename}`];
}

/** Statements that make the renames, in their order. */
export function renameStatements(renames: readonly Rename[]): Statement[] {
  return renames.flatMap((rename) =>
    renameSql(rename).map((sql) => {
      const table =
        rename.to.kind === "table"
          ? rename.to
          : "table" in rename.to
            ? tableId(rename.to.schema, rename.to.table)
            : undefined;
      const lock: Lock =
        rename.to.kind === "sequence"
          ? "none"
          : rename.to.kind === "index"
            ? "SHARE UPDATE EXCLUSIVE"
            : "ACCESS EXCLUSIVE";
      return {
        sql,
        op: "update",
        object: describe(table ?? rename.to),
        id: rename.to,
        renames: rename.from,
        subject: `${describe(rename.from)}, renamed to ${rename.to.kind === "table" ? `${rename.to.schema}.${rename.to.name}` : rename.to.name}`,
        lock,
        transaction: "shared",
        work: "catalog",
        drops: [],
        rewrites: false,
        destructive: false,
        consumes: [],
      };
    }),
  );
}
