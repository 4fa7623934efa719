/**
 * What is kept and declared again: which of it comes back, the facts as they are then, and the statements.
 * Whether its rows fit is asked like of any other change of a table.
 */
import { factBaseOf } from "../../catalog/factBaseOf.ts";
import { parentsOf } from "../../catalog/inheritance.ts";
import type { KeptSchema } from "../../catalog/kept.ts";
import { describe, nameInApproval } from "../../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, parseId, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { asTable, columnId, type TableId, tableId } from "../../catalog/tables.ts";
import { revertContribution } from "../../contribution/contribution.ts";
import { UserError } from "../../core/errors.ts";
import { joinedLists } from "../inheritance/segments.ts";
import { planStatements } from "../planStatements.ts";
import type { Rename } from "../renames/renames.ts";
import { standingOn } from "../replacedObjects.ts";
import type { Statement, StatementList } from "../statement.ts";
import { Choice, type ChosenColumn, type ChosenTable, type TakeBackContext } from "./choice.ts";
import { inSchema, inSchemaId } from "./inSchema.ts";
import { moves, statementOn, wholeObject, withParts } from "./parts.ts";
import { retire } from "./retire.ts";

/** What comes back, and the facts once it has. */
export interface TakenBack {
  list: StatementList;
  live: FactBase;
  /** From the present names, for all that is asked of rows and sizes. */
  renames: Rename[];
  /** Encoded ids of what comes back, under the old names. */
  ids: ReadonlySet<string>;
  /** Encoded ids of what the layer had found, and not made, with its parts. */
  adopted: ReadonlySet<string>;
  /** Ids of what comes back, under the names that it has now. */
  present: ReadonlySet<string>;
  /** Approvals that were used. */
  approvals: string[];
  /** Schemas made for what gives up its name. */
  schemas: string[];
}

/**
 * @returns undefined where nothing comes back.
 * @throws {UserError} where a name has been taken again, and nothing says which of the two is meant.
 */
export function takeBack(context: TakeBackContext): TakenBack | undefined {
  const { kept, added } = context;
  const { whole } = kept;
  if (whole === undefined) return undefined;
  const chosen = new Choice(context, whole);
  const tables = chosen.tables(added.flatMap(({ id }) => asTable(id) ?? []));
  const columns = chosen.columns(
    added.flatMap(({ id }) => (id.kind === "column" ? columnId(tableId(id.schema, id.table), id.name) : [])),
    tables,
  );
  chosen.refuseQuestions();
  return tables.length + columns.length === 0 ? undefined : comingBack(context, whole, { tables, columns, chosen });
}

function comingBack(
  { kept, live, added, keeping }: TakeBackContext,
  whole: FactBase,
  { tables, columns, chosen }: { tables: readonly ChosenTable[]; columns: readonly ChosenColumn[]; chosen: Choice },
): TakenBack {
  const giving = {
    tables: tables.filter(({ replaces }) => replaces).map(({ id }) => id),
    columns: columns.filter(({ replaces }) => replaces).map(({ id }) => id),
  };
  const isReplacing = giving.tables.length + giving.columns.length > 0;
  const rest = isReplacing ? without(live, [...giving.tables, ...giving.columns]) : live;
  const given = keeping === undefined || !isReplacing ? undefined : retire(giving, live, rest, keeping);
  const start = given?.live ?? live;
  const schemas = added.filter(
    ({ id, parent }) =>
      id.kind === "schema" &&
      parent === undefined &&
      !start.has(id) &&
      tables.some((table) => table.id.schema === id.name),
  );
  const open = schemas.length === 0 ? start : factBaseOf([...start.facts(), ...schemas], start.edges, start);

  const groups = [...Map.groupBy(tables, ({ in: place }) => place)].map(([place, some]) => ({
    place,
    objects: withNeeds(
      some.map(({ now }) => now),
      place,
      whole,
    ),
  }));
  const keptColumns = new Set(kept.columns.map(({ id }) => encodeId(id)));
  const present = new Set<string>();
  const facts = new Map(open.facts().map((fact) => [encodeId(fact.id), fact]));
  const edges = [...open.edges];
  const ids = new Set<string>();
  const add = (fact: Fact): void => {
    const key = encodeId(fact.id);
    if (facts.has(key)) throw nameTaken(fact.id);
    facts.set(key, fact);
    ids.add(key);
  };
  for (const { place, objects } of groups) {
    const parts = withParts(objects, whole);
    for (const key of parts) present.add(key);
    const isHidden = (fact: Fact): boolean =>
      keptColumns.has(encodeId(fact.id)) || (fact.parent !== undefined && keptColumns.has(encodeId(fact.parent)));
    for (const fact of whole.facts())
      if (parts.has(encodeId(fact.id)) && !isHidden(fact)) add(inSchemaFact(fact, place));
    for (const edge of whole.edges)
      if (parts.has(encodeId(edge.from)))
        edges.push({ ...edge, from: inSchemaId(edge.from, place), to: inSchemaId(edge.to, place) });
    present.add(encodeId({ kind: "schema", name: place.name }));
  }
  for (const { kept: column, id } of columns) {
    const fact = whole.get(column.id);
    if (fact === undefined) continue;
    const place = groups.find((group) => group.place.name === column.id.schema)?.place;
    const payload = place === undefined ? fact.payload : inSchemaFact(fact, place).payload;
    add({ id, parent: tableId(id.schema, id.table), payload });
    for (const edge of whole.edges)
      if (encodeId(edge.from) === encodeId(column.id) && edge.kind === "depends")
        edges.push({ ...edge, from: id, to: place === undefined ? edge.to : inSchemaId(edge.to, place) });
    present.add(encodeId(column.id));
  }
  const statements = [
    ...groups.flatMap(({ place, objects }) => movesBack(place, objects, whole)),
    ...columns.flatMap(renamedBack),
  ];
  const back = factBaseOf(facts.values(), edges, open);
  const adopted = [
    ...tables.flatMap(({ id, in: place }) => (place.adopted.includes(id.name) ? [id] : [])),
    ...columns.flatMap(({ id, kept: column }) => (column.adopted ? [id] : [])),
  ];
  return {
    list: joinedLists([
      given === undefined ? EMPTY : asAnswered(given.list),
      schemas.length === 0 ? EMPTY : planStatements(start, open),
      { statements, settings: [] },
    ]),
    live: back,
    renames: renamesOf(groups, columns, whole),
    ids,
    adopted: withParts(adopted, back),
    present,
    approvals: chosen.approvals,
    schemas: given?.schemas ?? [],
  };
}

const EMPTY: StatementList = { statements: [], settings: [] };

/** What gives up its name is approved of by the answer to the question. */
const asAnswered = (list: StatementList): StatementList => ({
  ...list,
  statements: list.statements.map((statement) =>
    statement.keeps === undefined || statement.id === undefined
      ? statement
      : { ...statement, approval: `take-back:${nameInApproval(statement.id)}` },
  ),
});

const without = (facts: FactBase, ids: readonly StableId[]): FactBase =>
  revertContribution(facts, { remove: standingOn(facts, ids), restore: [], reset: [] });

/** With partitions and parents, which lie in the same schema, and what columns need of it. */
function withNeeds(tables: readonly TableId[], { name }: KeptSchema, whole: FactBase): StableId[] {
  const found = new Map<string, StableId>(tables.map((table) => [encodeId(table), table]));
  const open: StableId[] = [...tables];
  const add = (id: StableId): void => {
    if (!("schema" in id) || id.schema !== name || found.has(encodeId(id))) return;
    found.set(encodeId(id), id);
    open.push(id);
  };
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const key = encodeId(id);
    const parts = withParts([id], whole);
    for (const part of parts)
      for (const { kind, to } of whole.outgoingEdges(parseId(part)))
        if (kind === "depends" && !parts.has(encodeId(to))) add(wholeObject(to, whole));
    if (id.kind !== "table") continue;
    for (const parent of parentsOf(whole.get(id))) add(parent);
    for (const fact of whole.facts())
      if (fact.id.kind === "table" && parentsOf(fact).some((parent) => encodeId(parent) === key)) add(fact.id);
  }
  return [...found.values()];
}

function inSchemaFact({ id, parent, payload }: Fact, place: KeptSchema): Fact {
  return {
    id: inSchemaId(id, place),
    ...(parent === undefined ? {} : { parent: inSchemaId(parent, place) }),
    payload: Object.fromEntries(
      Object.entries(payload).map(([key, value]) => [key, inSchema(value, place.name, place.schema)]),
    ),
  };
}

/** The schema of ours goes with the last of what it holds. */
function movesBack(place: KeptSchema, objects: readonly StableId[], whole: FactBase): Statement[] {
  const all = withParts(objects, whole);
  const isLeft = whole.facts().some(({ id }) => !all.has(encodeId(id)) && "schema" in id && id.schema === place.name);
  const space: StableId = { kind: "schema", name: place.name };
  return [
    ...moves(objects, place.schema, (id, sql) => {
      const back = inSchemaId(id, place);
      return statementOn(back, sql, {
        renames: id,
        subject: `${describe(back)}, taken back${id.kind === "table" ? " with its rows" : ""}`,
      });
    }),
    ...(isLeft ? [] : [statementOn(space, `DROP SCHEMA ${quoteIdent(place.name)}`, { op: "delete" })]),
  ];
}

function renamedBack({ from, id, kept }: ChosenColumn): Statement[] {
  const quotedTable = quoteQualified(id.schema, id.table);
  return [
    statementOn(id, `COMMENT ON COLUMN ${quotedTable}.${quoteIdent(from.name)} IS NULL`, {
      renames: kept.id,
      lock: "SHARE UPDATE EXCLUSIVE",
      subject: `${describe(id)}, taken back with its values`,
    }),
    statementOn(id, `ALTER TABLE ${quotedTable} RENAME COLUMN ${quoteIdent(from.name)} TO ${quoteIdent(id.name)}`, {
      renames: kept.id,
      subject: `${describe(id)}, taken back with its values`,
    }),
  ];
}

function renamesOf(
  groups: readonly { place: KeptSchema; objects: readonly StableId[] }[],
  columns: readonly ChosenColumn[],
  whole: FactBase,
): Rename[] {
  const own = groups.flatMap(({ place, objects }) =>
    [...withParts(objects, whole)].map(parseId).flatMap((from): Rename[] => {
      if (from.kind === "table")
        return [{ from: tableId(from.schema, from.name), to: tableId(place.schema, from.name) }];
      if (from.kind !== "index" && from.kind !== "sequence") return [];
      const { kind, name } = from;
      return [{ from: { kind, schema: from.schema, name }, to: { kind, schema: place.schema, name } }];
    }),
  );
  return [...columns.map(({ kept, id }) => ({ from: kept.id, to: id })), ...own];
}

function nameTaken(id: StableId): UserError {
  return new UserError(
    "PS833",
    `Found ${describe(id)}, which has the name of a part of what is kept and declared again. Expected the name to be free: rename or drop it in an update of its own. Nothing was changed.`,
  );
}
