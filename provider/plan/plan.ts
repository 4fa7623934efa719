import type { ClientBase, Pool } from "pg";
import type { FactBase, StableId } from "../catalog/pgDelta.ts";
import type { Catalog } from "../catalog/readCatalog.ts";
import { searchPathsIn } from "../catalog/searchPath.ts";
import { sizeBehind, type TableSizes } from "../catalog/tables.ts";
import { changedFunctions, type FunctionId } from "./changedFunctions.ts";
import { refuseWithoutCast, withConversions } from "./convertedColumns.ts";
import { copiesTable, type Hazard, hazardsOf } from "./hazards.ts";
import { withColumnsAddedTogether } from "./mergeStatements.ts";
import { online } from "./online/online.ts";
import type { OnlineContext, Recipe } from "./online/recipe.ts";
import { recompute } from "./online/recompute.ts";
import { planStatements } from "./planStatements.ts";
import { newIds } from "./renames/renamedFacts.ts";
import { type Rename, renameStatements } from "./renames/renames.ts";
import { type RenameQuestion, renameQuestions } from "./renames/suspected.ts";
import { rowQuestions } from "./rowChecks/questions.ts";
import type { RowCheck } from "./rowChecks/rowCheck.ts";
import type { QuestionContext } from "./rowChecks/source.ts";
import type { Statement, StatementList } from "./statement.ts";
import { readStoredResults, staysStale } from "./storedResults.ts";
import { readSizes } from "./tableSizes.ts";
import { estimateMs } from "./timeEstimate.ts";
import type { Transition } from "./transition.ts";

/** A statement with what it may do to others. */
export interface StatementWithRisk {
  statement: Statement;
  hazards: Hazard[];
  /** Rows of the table that it touches; an estimate, 0 for a new or empty table. */
  rows: number;
  /** Its work on these rows, in milliseconds; undefined where it touches none of them. */
  estimateMs: number | undefined;
}

/** What an update would run. */
export interface LayerPlan {
  list: StatementList;
  assessed: StatementWithRisk[];
  /** What may be a rename that was not declared. */
  questions: RenameQuestion[];
  /** What the statements demand of the rows; not asked yet. */
  rowChecks: RowCheck[];
  /** Functions of which results are stored that have to be computed again. */
  changedFunctions: readonly FunctionId[];
}

/**
 * The ordered statements that turn the database into what is desired, without blocking those who use tables
 * with rows.
 *
 * @param unfinished functions that an earlier run has changed, and after which it did not get to everything
 *   that is stored of their results.
 */
export async function planUpdate(
  client: ClientBase | Pool,
  catalog: Catalog,
  target: Transition<unknown>,
  unfinished: readonly FunctionId[] = [],
): Promise<LayerPlan> {
  const { live, desired, renames, conversions = new Map() } = target;
  const majorVersion = Number.parseInt(catalog.serverVersion, 10);
  const direct = planStatements(live, desired, majorVersion);
  const renaming = renameStatements(renames);
  const nameNow = nameBefore(catalog, renames);
  const functions = [...changedFunctions(live, desired), ...unfinished];
  const stored = await readStoredResults(client, functions, { before: nameNow, now: newIds(renames) });
  const stale = stored.filter((result) => staysStale(result, direct.statements, live, desired));
  const sizes = await readSizes(
    client,
    live,
    desired,
    [...renaming, ...direct.statements],
    stale.map(({ id, table }) => table ?? id),
    nameNow,
  );
  // While renames are pending, the database has what an expression names under other names.
  if (renaming.length === 0) await refuseWithoutCast(client, direct.statements, conversions, live, desired);
  const context = { live, desired, sizes, invalidIndexes: catalog.invalidIndexes, majorVersion, conversions };
  const converting = { ...direct, statements: withConversions(direct.statements, conversions, desired, sizes) };
  const recomputed = recompute(stale, context);
  const ordered =
    renaming.length === 0
      ? online(converting, context, recomputed)
      : inOrder(converting, renaming, context, recomputed);
  const statements = withColumnsAddedTogether(ordered.statements, desired);
  const list = withSearchPaths({ ...ordered, statements }, desired);
  return {
    list,
    assessed: list.statements.map((statement) => assess(statement, live, desired, sizes)),
    questions: renameQuestions(direct.statements, live, desired, sizes),
    rowChecks: rowChecks({
      live,
      desired,
      sizes,
      nameNow,
      statements: converting.statements,
      majorVersion,
      conversions,
    }),
    changedFunctions: stale.length === 0 ? [] : functions,
  };
}

function withSearchPaths(list: StatementList, desired: FactBase): StatementList {
  const pathFor = searchPathsIn(desired);
  const statements = list.statements.map((statement) => {
    const searchPath = pathFor(statement.sql);
    return searchPath === undefined ? statement : { ...statement, searchPath };
  });
  return { ...list, statements };
}

function rowChecks(context: QuestionContext): RowCheck[] {
  const questions = rowQuestions(context);
  const pathFor = questions.length === 0 ? () => undefined : searchPathsIn(context.desired);
  return questions.map((question) => {
    const searchPath = pathFor(question.statement);
    return { question: searchPath === undefined ? question : { ...question, searchPath }, answer: { kind: "unasked" } };
  });
}

/** The present name of an object: before the renames of a plan, and of the plans before it in a preview. */
export function nameBefore({ nameNow }: Catalog, renames: readonly Rename[]): (id: StableId) => StableId {
  const oldId = newIds(renames.map(({ from, to }) => ({ from: to, to: from })));
  return (id) => nameNow?.(oldId(id)) ?? oldId(id);
}

/** Renames come first, but for what ends its own transaction. */
function inOrder(
  direct: StatementList,
  renaming: readonly Statement[],
  context: OnlineContext,
  recomputed: Recipe,
): StatementList {
  const isAhead = ({ transaction }: Statement): boolean => transaction === "last";
  const rest = direct.statements.filter((statement) => !isAhead(statement));
  const { statements } = online({ ...direct, statements: rest }, { ...context, inOrder: true }, recomputed);
  return { ...direct, statements: [...direct.statements.filter(isAhead), ...renaming, ...statements] };
}

function assess(statement: Statement, live: FactBase, desired: FactBase, sizes: TableSizes): StatementWithRisk {
  const { id } = statement;
  const size = sizeBehind(id, sizes, live, desired);
  const copies = id !== undefined && copiesTable(statement, id, { live, desired });
  return {
    statement,
    hazards: hazardsOf(statement, { live, desired, sizes }),
    rows: size.rows,
    estimateMs: estimateMs(statement, size, copies),
  };
}
