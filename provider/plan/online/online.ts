/**
 * Which statements would block users of a table with rows and get a recipe instead: steps that do not block,
 * each harmless alone, continued by the next run. The steps are written in the files beside it.
 */
import { isPartitioned } from "../../catalog/partitions.ts";
import { encodeId, type Fact, type StableId } from "../../catalog/pgDelta.ts";
import { rowsBehind, tableOf, text } from "../../catalog/tables.ts";
import { FunctionCalls } from "../calledFunctions.ts";
import { dropsBehindConversions } from "../convertedColumns.ts";
import { StatementDependencies } from "../dependencies.ts";
import { moveRows } from "../inheritance/moveRows.ts";
import { addPartition } from "../inheritance/onlineLinks.ts";
import { keyForm } from "../keyFromIndex.ts";
import type { Statement, StatementList } from "../statement.ts";
import { addColumn, becomesNotNull, identitiesAfterNotNull, setNotNull } from "./column.ts";
import { addConstraint } from "./constraint.ts";
import { buildIndex, buildOnPartitions, replaceIndex, withoutLeftOver } from "./indexes.ts";
import { asId, type IndexId, type OnlineContext, type Recipe } from "./recipe.ts";
import { readingValuesBefore } from "./valuesBefore.ts";

/**
 * The list with recipes in place of what would block. A recipe that has nothing to do with the rest of the
 * list runs before all others: if its rows do not fit, nothing has been changed yet. Statements that need the
 * result of a later step are put off with it.
 *
 * @param recomputed brings up to date what is stored of the results of functions that the list changes.
 * @see https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
 * @see https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
 */
export function online(
  planned: StatementList,
  context: OnlineContext,
  recomputed: Recipe = { soon: [], later: [] },
): StatementList {
  const list = { ...planned, statements: readingValuesBefore(planned.statements, context) };
  const replaced = replacedIndexes(list.statements, context);
  const drops = new Set(replaced.values());
  const busy = busyTables(list.statements, context);
  const early: Statement[] = [];
  const soon: Statement[] = [];
  const later: Statement[] = [];
  // Partitions that are filled come once their table is as it is to be.
  const last: Statement[] = [];
  const filled = new Set<string>();
  const putOff = new Set<string>();
  const waiting = identitiesAfterNotNull(list.statements, context);
  const held = dropsBehindConversions(list.statements, context.conversions);
  const calls = new FunctionCalls(list.statements, context.desired, context.conversions);
  const surroundings = new StatementDependencies(list.statements, context);
  for (const statement of list.statements) {
    const id = statement.id === undefined ? undefined : encodeId(statement.id);
    if (drops.has(statement) || held.has(statement)) continue;
    const isFilled = statement.op === "create" && id !== undefined && context.displacing?.has(id) === true;
    if (isFilled || surroundings.needs(statement).some((needed) => filled.has(needed))) {
      last.push(...(isFilled ? moveRows(statement, context) : [statement]));
      if (id !== undefined) filled.add(id);
      continue;
    }
    if (waiting.has(statement)) {
      const { sequence, together } = waiting.get(statement) ?? { together: [] };
      later.push(...together);
      if (sequence !== undefined) putOff.add(encodeId(sequence));
      continue;
    }
    const recipe = recipeFor(statement, context, id === undefined ? undefined : replaced.get(id));
    if (surroundings.needs(statement).some((needed) => putOff.has(needed))) {
      later.push(...recipe.soon, ...recipe.later);
      if (id !== undefined) putOff.add(id);
      continue;
    }
    const isApart = !busy.has(tableKey(statement, context)) && surroundings.isApart(statement);
    if (recipe.later.length > 0 && context.inOrder !== true && isApart && calls.of(statement).length === 0) {
      early.push(...recipe.soon, ...recipe.later);
      continue;
    }
    soon.push(...recipe.soon);
    later.push(...recipe.later);
    if (recipe.later.length > 0 && recipe.soon.length === 0 && id !== undefined) putOff.add(id);
  }
  return {
    ...list,
    statements: [...early, ...soon, ...recomputed.soon, ...later, ...recomputed.later, ...held, ...last],
  };
}

function tableKey({ id }: Statement, { live, desired }: OnlineContext): string {
  const table = id === undefined ? undefined : tableOf(id, live, desired);
  return table === undefined ? "" : encodeId(table);
}

/** Tables of which the list changes more than their indexes and constraints. */
function busyTables(statements: readonly Statement[], context: OnlineContext): Set<string> {
  const harmless = (statement: Statement): boolean =>
    statement.op === "create" && (statement.id?.kind === "index" || statement.id?.kind === "constraint");
  const dropped = (statement: Statement): boolean => statement.op === "delete" && statement.id?.kind === "index";
  const notNull = (statement: Statement): boolean => / SET NOT NULL$/.test(statement.sql);
  return new Set(
    statements
      .filter((statement) => !harmless(statement) && !dropped(statement) && !notNull(statement))
      .map((statement) => tableKey(statement, context)),
  );
}

/**
 * Indexes that the list drops and makes again under the same name, on tables with rows: by encoded id of what
 * is made, with the statement that drops. A key and its index have one name, too. Not those that have to go
 * before what they stand on can change.
 */
function replacedIndexes(statements: readonly Statement[], context: OnlineContext): Map<string, Statement> {
  const { live, desired, sizes } = context;
  const changing = new Set(
    statements.flatMap(({ id, op, rewrites }) =>
      id !== undefined && !isIndexOrKey(id) && (op === "delete" || (op === "update" && rewrites)) ? [encodeId(id)] : [],
    ),
  );
  const dropped = new Map<string, Statement>();
  const replaced = new Map<string, Statement>();
  for (const statement of statements) {
    const { id, op } = statement;
    if (id === undefined || !isIndexOrKey(id) || rowsBehind(id, sizes, live, desired) === 0) continue;
    if (isPartitioned(tableOf(id, live, desired), live)) continue;
    const name = encodeId(asId(id));
    const hasToGo = live.outgoingEdges(id).some(({ to }) => changing.has(encodeId(to)));
    // The NOT NULL of a primary key's columns goes with it, and at once.
    const isDropped = op === "delete" && !hasToGo && (id.kind === "index" || text(live.get(id), "type") === "u");
    if (isDropped) dropped.set(name, statement);
    const drop = op === "create" ? dropped.get(name) : undefined;
    const isAnother = id.kind === "index" || (drop?.id?.kind === "index" && isPlainKey(desired.get(id)));
    if (drop !== undefined && isAnother) replaced.set(encodeId(id), drop);
  }
  return replaced;
}

type IndexOrKey = StableId & IndexId;

const isIndexOrKey = (id: StableId): id is IndexOrKey => id.kind === "index" || id.kind === "constraint";

/** A key that stands on an index which can be built beforehand. */
const isPlainKey = (fact: Fact | undefined): boolean =>
  ["u", "p"].includes(text(fact, "type")) && keyForm(text(fact, "def")) !== undefined;

/** @param drop what the statement replaces. */
function recipeFor(statement: Statement, context: OnlineContext, drop: Statement | undefined): Recipe {
  const { id, op } = statement;
  const { live, desired, sizes } = context;
  const asIs: Recipe = { soon: [statement], later: [] };
  if (id === undefined) return asIs;
  if (op === "create" && id.kind === "index") {
    if (rowsBehind(id, sizes, live, desired) === 0) return withoutLeftOver(statement, id, context);
    if (isPartitioned(tableOf(id, desired), live))
      return live.has(id) ? asIs : buildOnPartitions(statement, id, context);
    return {
      soon: [],
      later: drop === undefined ? buildIndex(statement, id, context) : replaceIndex(statement, id, drop, context),
    };
  }
  if (op === "create" && id.kind === "table") return addPartition(statement, context) ?? asIs;
  if (rowsBehind(id, sizes, live, desired) === 0) return asIs;
  if (op === "create" && id.kind === "constraint") return addConstraint(statement, id, context) ?? asIs;
  if (op === "update" && id.kind === "column" && becomesNotNull(statement, id, context))
    return setNotNull(statement, id, context);
  if (op === "create" && id.kind === "column") return addColumn(statement, id, context) ?? asIs;
  return asIs;
}
