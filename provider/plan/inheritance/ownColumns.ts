/** Where inherited columns differ from those of their parents: in a default of their own, or NOT NULL. */
import { factBaseOf } from "../../catalog/factBaseOf.ts";
import { columnAbove, isOwnColumn, parentsOf } from "../../catalog/inheritance.ts";
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { asColumn, type ColumnId, type TableId, tableId, text } from "../../catalog/tables.ts";
import type { Statement } from "../statement.ts";

/**
 * The facts for the planner, which takes each column for one that it can add and drop. What hangs on a
 * column hangs on its table.
 */
export function withoutOwnColumns(facts: FactBase): FactBase {
  const own = new Map(facts.facts().flatMap((fact) => (isOwnColumn(fact) ? [[encodeId(fact.id), fact.parent]] : [])));
  if (own.size === 0) return facts;
  const rest = facts.facts().flatMap((fact): Fact[] => {
    if (isOwnColumn(fact)) return [];
    const table = fact.parent === undefined ? undefined : own.get(encodeId(fact.parent));
    if (table === undefined) return [fact];
    return fact.id.kind === "default" ? [] : [{ ...fact, parent: table }];
  });
  return factBaseOf(rest, facts.edges, facts);
}

/** What has to be done before and after the planner's statements. */
export interface OwnColumnStatements {
  before: Statement[];
  after: Statement[];
}

/**
 * A change of the parent's column is one of all columns below it: what is their own comes again after it.
 *
 * @param statements of the planner.
 */
export function ownColumnStatements(
  live: FactBase,
  desired: FactBase,
  statements: readonly Statement[],
): OwnColumnStatements {
  const touched = new Set(statements.flatMap(({ id }) => columnKey(id) ?? []));
  const before: Statement[] = [];
  const after: Statement[] = [];
  for (const fact of live.facts().filter(isOwnColumn)) {
    const id = asColumn(fact.id);
    if (id === undefined || !desired.has(tableId(id.schema, id.table))) continue;
    const [was, is] = [defaultOf(id, live), defaultOf(id, desired)];
    const goesBack = was !== undefined && is === undefined && desired.has(tableId(id.schema, id.table));
    const inherited = text(columnDefaultAbove(id, desired), "expr");
    if (goesBack && hasColumn(id, desired))
      after.push(changing(id, inherited === "" ? "DROP DEFAULT" : `SET DEFAULT ${inherited}`));
    // An expression may call what goes with the same plan.
    if (was !== undefined && was !== "" && was !== is && /\(|::/.test(was)) before.push(changing(id, "DROP DEFAULT"));
    const notNull = live.get(id)?.payload.notNull;
    const stays = desired.get(id)?.payload.notNull === notNull;
    if (
      notNull === true &&
      !stays &&
      columnAbove(tableId(id.schema, id.table), id.name, desired)?.payload.notNull === false
    )
      after.push(changing(id, "DROP NOT NULL"));
  }
  for (const fact of desired.facts().filter(isOwnColumn)) {
    const [id, payload] = [asColumn(fact.id), fact.payload];
    if (id === undefined) continue;
    const isTouched = keysAbove(id, desired).some((key) => touched.has(key));
    const [was, is] = [defaultOf(id, live), defaultOf(id, desired)];
    if (is !== undefined && (is !== was || isTouched))
      after.push(changing(id, is === "" ? "DROP DEFAULT" : `SET DEFAULT ${is}`));
    if (payload.notNull !== null && (live.get(id)?.payload.notNull !== payload.notNull || isTouched))
      after.push(changing(id, payload.notNull === true ? "SET NOT NULL" : "DROP NOT NULL"));
  }
  return { before, after };
}

/** Empty for a column that has none, where its parent has one. */
function defaultOf(id: ColumnId, facts: FactBase): string | undefined {
  const fact = facts.get({ ...id, kind: "default" });
  return fact === undefined || !isOwnColumn(facts.get(id) ?? fact) ? undefined : text(fact, "expr");
}

const hasColumn = (id: ColumnId, facts: FactBase): boolean =>
  columnAbove(tableId(id.schema, id.table), id.name, facts) !== undefined;

function columnDefaultAbove(id: ColumnId, facts: FactBase): Fact | undefined {
  for (const parent of parentsOf(facts.get(tableId(id.schema, id.table)))) {
    const above: ColumnId = { ...id, schema: parent.schema, table: parent.name };
    const fact =
      facts.get({ ...above, kind: "default" }) ?? (facts.has(above) ? undefined : columnDefaultAbove(above, facts));
    if (fact !== undefined) return fact;
  }
  return undefined;
}

function columnKey(id: StableId | undefined): string | undefined {
  const column = asColumn(id);
  return column === undefined ? undefined : encodeId(column);
}

/** The columns that hand their changes down to a column. */
function keysAbove(id: ColumnId, facts: FactBase): string[] {
  return parentsOf(facts.get(tableId(id.schema, id.table))).flatMap((parent: TableId) => {
    const above: ColumnId = { ...id, schema: parent.schema, table: parent.name };
    return [encodeId(above), ...keysAbove(above, facts)];
  });
}

function changing(id: ColumnId, change: string): Statement {
  const table = tableId(id.schema, id.table);
  return {
    sql: `ALTER TABLE ${quoteQualified(id.schema, id.table)} ALTER COLUMN ${quoteIdent(id.name)} ${change}`,
    op: "update",
    object: describe(table),
    id,
    subject: describe(id),
    lock: "ACCESS EXCLUSIVE",
    transaction: "shared",
    work: change === "SET NOT NULL" ? "rows" : "catalog",
    drops: [],
    rewrites: false,
    destructive: false,
    consumes: [encodeId(table)],
  };
}
