/**
 * How tables and columns that are dropped with rows are retired instead: a table moves to a schema of ours
 * with all that it needs, a column gets another name. What would bind writers goes. How they come back is in
 * `takeBack.ts`.
 */
import { factBaseOf } from "../../catalog/factBaseOf.ts";
import { isOwnColumn, parentsOf } from "../../catalog/inheritance.ts";
import { columnNoteOf, schemaNoteOf } from "../../catalog/kept.ts";
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, parseId, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteLiteral, quoteQualified } from "../../catalog/quote.ts";
import {
  asColumn,
  asTable,
  type ColumnId,
  rowsBehind,
  type TableId,
  type TableSizes,
  tableId,
  text,
} from "../../catalog/tables.ts";
import { isGenerated } from "../../catalog/virtualColumns.ts";
import { revertContribution } from "../../contribution/contribution.ts";
import { UserError } from "../../core/errors.ts";
import { parting } from "../inheritance/links.ts";
import { joinedLists } from "../inheritance/segments.ts";
import { isTakenByParent } from "../inheritance/takenByParent.ts";
import { planStatements } from "../planStatements.ts";
import { standingOn } from "../replacedObjects.ts";
import type { Statement, StatementList } from "../statement.ts";
import { keptColumnName, keptSchemaName } from "./names.ts";
import { isMovable, moves, statementOn, wholeObject, withParts } from "./parts.ts";

/** How long, and in which name, what a layer drops is kept. */
export interface Keeping {
  layer: string;
  /** From this day on it may be dropped: `2026-12-28`. */
  until: string;
  /** Schemas that the database has, with those of what is kept. */
  schemas: ReadonlySet<string>;
  /** Names of the columns of a table, with those of what is kept. */
  columnsOf: (table: TableId) => readonly string[];
  /** What the layer had found, and not made. */
  isAdopted: (id: StableId) => boolean;
}

/** What retires, and the facts once it has. */
export interface Retirement {
  list: StatementList;
  live: FactBase;
  schemas: string[];
}

type Retired = { tables: TableId[]; columns: ColumnId[] };

/**
 * What a plan drops with rows. A column that is computed from others, or becomes that of a parent, loses
 * none.
 */
export function droppedWithRows(live: FactBase, desired: FactBase, sizes: TableSizes): Retired {
  const tables: TableId[] = [];
  const columns: ColumnId[] = [];
  for (const fact of live.facts()) {
    const { id } = fact;
    const [table, column] = [asTable(id), id.kind === "column" ? asColumn(id) : undefined];
    if (table === undefined && column === undefined) continue;
    if (desired.has(id) || rowsBehind(id, sizes, live, desired) === 0) continue;
    if (table !== undefined) tables.push(table);
    if (column !== undefined && losesValues(fact, desired.get(tableId(column.schema, column.table))))
      columns.push(column);
  }
  return { tables, columns };
}

/** @param table undefined for one that goes as a whole. */
const losesValues = (column: Fact, table: Fact | undefined): boolean =>
  table !== undefined && !isGenerated(column) && !isOwnColumn(column) && !isTakenByParent(column, table);

/**
 * @param desired what the plan leads to; what stands on something retired and is not in it goes before.
 * @throws {UserError} for what cannot be kept.
 */
export function retire(retired: Retired, live: FactBase, desired: FactBase, keeping: Keeping): Retirement {
  const { columns } = retired;
  const tables = withRelatives(retired.tables, live, desired);
  const companions = companionsOf(tables, live, desired);
  const going = withParts([...tables, ...companions], live);
  for (const column of columns) refuseNeeds(column, live, desired);
  const ahead = bindingWriters(going, tables, live, desired).union(standingOnColumns(columns, live, desired));
  const before = revertContribution(live, {
    remove: ahead,
    restore: [],
    reset: columns.flatMap((id) => [
      { id, attribute: "notNull", from: false, to: true },
      { id, attribute: "identity", from: null, to: null },
    ]),
  });
  const keys = new Set(columns.map(encodeId));
  const after = factBaseOf(
    before.facts().filter(({ id }) => !going.has(encodeId(id)) && !keys.has(encodeId(id))),
    before.edges,
    before,
  );
  const schemas = new Map<string, string>();
  const statements = [...Map.groupBy([...tables, ...companions], schemaOf)].flatMap(([schema, objects]) => {
    const name = keptSchemaName(keeping, schema, new Set([...keeping.schemas, ...schemas.values()]));
    schemas.set(schema, name);
    return movedAway(objects, { schema, name }, { live: before, desired }, keeping);
  });
  const list = joinedLists([
    planStatements(live, before),
    { statements: [...statements, ...columns.flatMap((id) => renamedAway(id, keeping))], settings: [] },
  ]);
  return { list, live: after, schemas: [...schemas.values()] };
}

const schemaOf = (id: StableId): string => ("schema" in id ? (id.schema ?? "") : "");

/** Partitions and tables that inherit go with their parents, and these with them, where both are dropped. */
function withRelatives(tables: readonly TableId[], live: FactBase, desired: FactBase): TableId[] {
  const found = new Map(tables.map((table) => [encodeId(table), table]));
  const links = live.facts().flatMap((fact) => {
    const child = asTable(fact.id);
    return child === undefined ? [] : parentsOf(fact).map((parent) => ({ child, parent }));
  });
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const { child, parent } of links) {
      const [hasChild, hasParent] = [found.has(encodeId(child)), found.has(encodeId(parent))];
      if (hasChild && !hasParent && !desired.has(parent)) found.set(encodeId(parent), parent);
      if (!hasParent && !found.has(encodeId(parent))) continue;
      if (!desired.has(child)) found.set(encodeId(child), child);
      else
        throw refusal(
          `${describe(parent)} cannot be kept: ${describe(child)}, which stays, has columns and rows of it.`,
        );
    }
  }
  return [...found.values()];
}

/** What columns of the tables need, such as their types, and goes with the same plan. */
function companionsOf(tables: readonly TableId[], live: FactBase, desired: FactBase): StableId[] {
  const found = new Map<string, StableId>();
  const own = new Set(tables.map(encodeId));
  const open: StableId[] = [...tables];
  for (let object = open.pop(); object !== undefined; object = open.pop()) {
    for (const key of withParts([object], live)) {
      const id = parseId(key);
      if (isAccessory(live.get(id))) continue;
      for (const { kind, to } of live.outgoingEdges(id)) {
        const needed = wholeObject(to, live);
        const needKey = encodeId(needed);
        if (kind !== "depends" || desired.has(needed) || own.has(needKey) || found.has(needKey)) continue;
        if (needed.kind === "schema" || withParts([object], live).has(needKey)) continue;
        if (!isMovable(needed) || needed.kind === "table")
          throw refusal(`${describe(object)} cannot be kept: it needs ${describe(needed)}, which is dropped with it.`);
        found.set(needKey, needed);
        open.push(needed);
      }
    }
  }
  return [...found.values()];
}

/** A column stays where it is, so what it needs has to stay as well. */
function refuseNeeds(column: ColumnId, live: FactBase, desired: FactBase): void {
  const needed = live
    .outgoingEdges(column)
    .find(({ kind, to }) => kind === "depends" && to.kind !== "schema" && live.has(to) && !desired.has(to));
  if (needed !== undefined)
    throw refusal(`${describe(column)} cannot be kept: it needs ${describe(needed.to)}, which is dropped with it.`);
}

/** What a table can be without, and its files give back: it holds no values. */
function isAccessory(fact: Fact | undefined): boolean {
  return fact !== undefined && (ACCESSORIES.has(fact.id.kind) || "target" in fact.id);
}

const ACCESSORIES: ReadonlySet<StableId["kind"]> = new Set([
  ...(["policy", "trigger", "rule", "constraint", "index", "default", "publicationRel", "extensionIntent"] as const),
]);

/**
 * What of and on the tables goes: triggers, policies, foreign keys in both directions, what tells of their
 * changes, and what stands on something that is dropped with them.
 */
function bindingWriters(
  going: ReadonlySet<string>,
  tables: readonly TableId[],
  live: FactBase,
  desired: FactBase,
): Set<string> {
  const found = new Set<string>();
  const names = new Set(tables.map(encodeId));
  for (const fact of live.facts()) {
    const { id } = fact;
    const key = encodeId(id);
    if (id.kind === "publicationRel" && names.has(encodeId(tableId(id.schema, id.table)))) found.add(key);
    if (!going.has(key)) continue;
    const isBinding = BINDING.has(id.kind) || (id.kind === "constraint" && text(fact, "type") === "f");
    const isLost = live
      .outgoingEdges(id)
      .some(
        ({ kind, to }) =>
          kind === "depends" && to.kind !== "schema" && live.has(to) && !desired.has(to) && !going.has(encodeId(to)),
      );
    if (isBinding || (isLost && isAccessory(fact))) found.add(key);
  }
  for (const key of standingOn(live, tables)) if (!going.has(key) && !desired.has(parseId(key))) found.add(key);
  return found;
}

const BINDING: ReadonlySet<StableId["kind"]> = new Set(["policy", "trigger", "rule"]);

/** What goes before columns can be without values: defaults, keys, checks, and all else that is dropped. */
function standingOnColumns(columns: readonly ColumnId[], live: FactBase, desired: FactBase): Set<string> {
  const keys = new Set(columns.map(encodeId));
  const found = new Set<string>();
  for (const key of standingOn(live, columns)) {
    const id = parseId(key);
    if (keys.has(key) || id.kind === "table" || id.kind === "column") continue;
    if (!desired.has(id)) found.add(key);
    else if (REBUILT.has(id.kind) && desired.hashOf(id) !== live.hashOf(id))
      for (const other of standingOn(live, [id])) found.add(other);
  }
  return found;
}

const REBUILT: ReadonlySet<StableId["kind"]> = new Set(["constraint", "index"]);

function movedAway(
  objects: readonly StableId[],
  { schema, name }: { schema: string; name: string },
  { live, desired }: { live: FactBase; desired: FactBase },
  { layer, until, isAdopted }: Keeping,
): Statement[] {
  const tables = objects.flatMap((id) => asTable(id) ?? []);
  const adopted = tables.filter(isAdopted).map((table) => table.name);
  const note = quoteLiteral(schemaNoteOf({ layer, schema, until, adopted }));
  const space: StableId = { kind: "schema", name };
  // Default privileges could open it, and a table's own privileges are closed by this alone.
  const readers = live
    .facts()
    .flatMap(({ id }) => (id.kind === "defaultPrivilege" && id.schema === null ? [id.grantee] : []));
  const roles = [...new Set(readers)].map((role) => (role === "PUBLIC" ? role : quoteIdent(role)));
  const quotedName = quoteIdent(name);
  return [
    statementOn(space, `CREATE SCHEMA ${quotedName}`, { op: "create" }),
    statementOn(space, `REVOKE ALL ON SCHEMA ${quotedName} FROM ${[...new Set(["PUBLIC", ...roles])].join(", ")}`),
    statementOn(space, `COMMENT ON SCHEMA ${quotedName} IS ${note}`),
    ...tables.flatMap((table) =>
      parentsOf(live.get(table)).some((parent) => desired.has(parent)) ? parting(table, live) : [],
    ),
    ...moves(objects, name, (id, sql) =>
      statementOn(
        id,
        sql,
        id.kind === "table"
          ? { op: "delete", subject: `${describe(id)}, kept until ${until} in schema ${name}`, keeps: until }
          : { subject: `${describe(id)}, kept with what needs it` },
      ),
    ),
  ];
}

function renamedAway(id: ColumnId, { layer, until, columnsOf, isAdopted }: Keeping): Statement[] {
  const table = tableId(id.schema, id.table);
  const name = keptColumnName(until, id.name, new Set(columnsOf(table)));
  const quotedTable = quoteQualified(id.schema, id.table);
  const note = quoteLiteral(columnNoteOf({ layer, column: id.name, until, adopted: isAdopted(id) }));
  return [
    statementOn(id, `ALTER TABLE ${quotedTable} RENAME COLUMN ${quoteIdent(id.name)} TO ${quoteIdent(name)}`, {
      op: "delete",
      subject: `${describe(id)}, kept until ${until} as ${name}`,
      keeps: until,
    }),
    statementOn(id, `COMMENT ON COLUMN ${quotedTable}.${quoteIdent(name)} IS ${note}`, {
      lock: "SHARE UPDATE EXCLUSIVE",
    }),
  ];
}

function refusal(what: string): UserError {
  return new UserError(
    "PS831",
    `Found a drop of rows that the setting keepDropped keeps, but ${what} ` +
      "Expected an update that leaves in place what it needs: drop the table first, and the rest in a later update, or set keepDropped to 0 for this one. Nothing was changed.",
  );
}
