/**
 * Changes of a column that the planner makes by dropping it and adding it again, though the server makes them
 * in place: of its collation, and of what generates it.
 */

import { buildFactBase } from "../catalog/factBase.ts";
import { describe, ownerObject } from "../catalog/objectNames.ts";
import { parentOf } from "../catalog/partitions.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";
import { keepOwnerEdge } from "../catalog/readCatalog.ts";
import { type ColumnId, tableId, tableOf, text } from "../catalog/tables.ts";
import { isGenerated, isVirtual, unmarked } from "../catalog/virtualColumns.ts";
import type { Statement, StatementList } from "./statement.ts";

/** A column with the statements that change it. */
interface Change {
  column: Fact;
  statements: Statement[];
}

/**
 * The plan for the database as it is once the columns are changed, with those changes put where what they
 * need is there. A column that would need it sooner is left to the planner.
 *
 * @param plan plans from the facts that it is given.
 */
export function withColumnsInPlace(
  live: FactBase,
  desired: FactBase,
  majorVersion: number,
  plan: (live: FactBase) => StatementList,
): StatementList {
  const changes = live.facts().flatMap((fact) => changeOf(fact, live, desired, majorVersion) ?? []);
  for (;;) {
    if (changes.length === 0) return plan(live);
    const list = plan(assumed(live, desired, changes));
    const late = changes.findIndex(({ column }) => placeOf(column, list.statements, live, desired) === undefined);
    if (late === -1) return inserted(list, changes, live, desired);
    changes.splice(late, 1);
  }
}

function changeOf(column: Fact, live: FactBase, desired: FactBase, majorVersion: number): Change | undefined {
  const { id } = column;
  const next = desired.get(id);
  if (!isColumn(id) || next === undefined) return undefined;
  const { type, collation, generatedExpr } = column.payload;
  const isAnotherCollation = collation !== next.payload.collation;
  if (generatedExpr === next.payload.generatedExpr) {
    if (!isAnotherCollation) return undefined;
    return { column, statements: isInherited(id, live, desired) ? [] : newCollation(id, [column, next], live) };
  }
  if (isAnotherCollation || type !== next.payload.type || !isGenerated(column)) return undefined;
  const how = isGenerated(next)
    ? newExpression(id, [column, next], [live, desired], majorVersion)
    : withoutExpression(id, column);
  return how === undefined ? undefined : { column, statements: isInherited(id, live, desired) ? [] : [how] };
}

const isColumn = (id: StableId): id is ColumnId => id.kind === "column";

/** Whether the statement for the parent of a table is one for its column, too. */
function isInherited({ table, schema, name }: ColumnId, live: FactBase, desired: FactBase): boolean {
  const parent = parentOf(tableId(schema, table), live);
  return parent !== undefined && desired.has({ kind: "column", schema: parent.schema, table: parent.name, name });
}

function withoutExpression(id: ColumnId, fact: Fact): Statement | undefined {
  return isVirtual(fact) ? undefined : alteration(id, "DROP EXPRESSION", { rewrites: false });
}

/**
 * Server 17 has it for stored columns, and 18 for those that are not stored, but neither beside a check nor
 * in a publication.
 */
function newExpression(
  id: ColumnId,
  [column, next]: readonly [Fact, Fact],
  sides: readonly [FactBase, FactBase],
  majorVersion: number,
): Statement | undefined {
  if (isVirtual(column) !== isVirtual(next) || majorVersion < 17) return undefined;
  if (isVirtual(next) && sides.some((side) => isCheckedOrPublished(id, side))) return undefined;
  const expression = unmarked(text(next, "generatedExpr"));
  return alteration(id, `SET EXPRESSION AS (${expression})`, { rewrites: !isVirtual(next) });
}

function isCheckedOrPublished({ schema, table }: ColumnId, facts: FactBase): boolean {
  const isCheck = ({ id, payload }: Fact): boolean => id.kind === "constraint" && payload.type === "c";
  return (
    facts.childrenOf(tableId(schema, table)).some(isCheck) ||
    facts.facts().some(({ id }) => id.kind === "publicationRel" && id.schema === schema && id.table === table)
  );
}

/** The server builds the indexes of the column again, and copies the table where the type changes, too. */
function newCollation(id: ColumnId, [column, next]: readonly [Fact, Fact], live: FactBase): Statement[] {
  const [from, to] = [text(column, "type"), text(next, "type")];
  const cast = from === to || isGenerated(next) ? "" : ` USING ${quoteIdent(id.name)}::${to}`;
  const isIndexed = live.incomingEdges(id).some(({ from }) => from.kind === "index" || from.kind === "constraint");
  const hasDefault = from !== to && live.has({ ...id, kind: "default" });
  const collation = text(next, "collation");
  return [
    ...(hasDefault ? [alteration(id, "DROP DEFAULT", { rewrites: false })] : []),
    alteration(id, `TYPE ${to}${collation === "" ? "" : ` COLLATE ${collation}`}${cast}`, {
      rewrites: from !== to || isIndexed,
    }),
  ];
}

function alteration(id: ColumnId, change: string, { rewrites }: { rewrites: boolean }): Statement {
  return {
    sql: `ALTER TABLE ${quoteQualified(id.schema, id.table)} ALTER COLUMN ${quoteIdent(id.name)} ${change}`,
    op: "update",
    object: describe(ownerObject(id)),
    id,
    subject: describe(id),
    lock: "ACCESS EXCLUSIVE",
    transaction: "shared",
    work: rewrites ? "rows" : "catalog",
    drops: [],
    rewrites,
    destructive: false,
    consumes: [encodeId(id)],
  };
}

/** Live with the columns as they are desired. They stand no longer on what they stood on only before. */
function assumed(live: FactBase, desired: FactBase, changes: readonly Change[]): FactBase {
  const changed = new Map(changes.map(({ column }) => [encodeId(column.id), desired.get(column.id)]));
  const dropped = new Set(
    changes.flatMap(({ column: { id }, statements }) =>
      isColumn(id) && statements.length > 1 ? [encodeId({ ...id, kind: "default" })] : [],
    ),
  );
  const facts = live.facts().flatMap((fact) => {
    if (dropped.has(encodeId(fact.id))) return [];
    const { type, collation, generatedExpr } = changed.get(encodeId(fact.id))?.payload ?? fact.payload;
    return changed.has(encodeId(fact.id))
      ? [{ ...fact, payload: { ...fact.payload, type, collation, generatedExpr } }]
      : [fact];
  });
  const edges = live.edges.filter(
    (edge) =>
      !dropped.has(encodeId(edge.from)) &&
      !(
        edge.kind === "depends" &&
        changed.has(encodeId(edge.from)) &&
        !desired.outgoingEdges(edge.from).some(({ to }) => encodeId(to) === encodeId(edge.to))
      ),
  );
  return buildFactBase(facts, edges, live.source, { allowDangling: keepOwnerEdge });
}

/**
 * Behind what a column needs and the constraints and indexes of its table that go; undefined where something
 * that it stands on now would go before.
 */
function placeOf(
  { id }: Fact,
  statements: readonly Statement[],
  live: FactBase,
  desired: FactBase,
): number | undefined {
  const targets = (facts: FactBase): Set<string> =>
    new Set(facts.outgoingEdges(id).flatMap(({ kind, to }) => (kind === "depends" ? [encodeId(to)] : [])));
  const [needs, stoodOn] = [targets(desired), targets(live)];
  const table = tableOf(id);
  const isFirst = ({ op, id: other, transaction }: Statement): boolean => {
    if (transaction === "last") return true;
    if (other === undefined) return false;
    if (op !== "delete") return needs.has(encodeId(other));
    const owner = other.kind === "constraint" || other.kind === "index" ? tableOf(other, live) : undefined;
    return owner !== undefined && table !== undefined && encodeId(owner) === encodeId(table);
  };
  const place = statements.findLastIndex(isFirst) + 1;
  const isLost = ({ op, id: other }: Statement): boolean =>
    op === "delete" && other !== undefined && stoodOn.has(encodeId(other));
  return statements.slice(0, place).some(isLost) ? undefined : place;
}

function inserted(list: StatementList, changes: readonly Change[], live: FactBase, desired: FactBase): StatementList {
  const places = changes.map(({ column, statements }) => ({
    statements,
    place: placeOf(column, list.statements, live, desired) ?? 0,
  }));
  const at = (n: number): Statement[] => places.flatMap(({ place, statements }) => (place === n ? statements : []));
  return {
    ...list,
    statements: [...list.statements.flatMap((statement, n) => [...at(n), statement]), ...at(list.statements.length)],
  };
}
