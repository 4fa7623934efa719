/**
 * What an update would run, in order, with locks, rows, hazards and questions to the rows. Asks the target
 * for sizes and stored results, and changes nothing; approvals and execution are left to others.
 */
import type { ClientBase, Pool } from "pg";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import type { Catalog } from "../catalog/readCatalog.ts";
import { searchPathsIn } from "../catalog/searchPath.ts";
import { sizeBehind, type TableSizes } from "../catalog/tables.ts";
import { behindCalledFunctions, FunctionCalls } from "./calledFunctions.ts";
import { type ChangedObject, changedObjects } from "./changedObjects.ts";
import { refuseWithoutCast, withConversions } from "./convertedColumns.ts";
import { comparisonOf, madeBeforehand, type ResultComparison } from "./equalResults.ts";
import { copiesTable, type Hazard, hazardsOf } from "./hazards.ts";
import { displacing } from "./inheritance/displacedRows.ts";
import { takingBack } from "./inheritance/moveRows.ts";
import { onlineLinks } from "./inheritance/onlineLinks.ts";
import type { Segment } from "./inheritance/segment.ts";
import { joinedLists } from "./inheritance/segments.ts";
import { refuseLosingKept } from "./kept/kept.ts";
import { droppedWithRows, type Retirement, retire } from "./kept/retire.ts";
import { withColumnsAddedTogether } from "./mergeStatements.ts";
import { online } from "./online/online.ts";
import type { OnlineContext, Recipe } from "./online/recipe.ts";
import { recompute } from "./online/recompute.ts";
import { planSegments } from "./planStatements.ts";
import { newIds } from "./renames/renamedFacts.ts";
import { type Rename, renameStatements } from "./renames/renames.ts";
import { type RenameQuestion, renameQuestions } from "./renames/suspected.ts";
import { changedResultQuestions } from "./rowChecks/changedResults.ts";
import { rowQuestions } from "./rowChecks/questions.ts";
import type { RowCheck, RowQuestion } from "./rowChecks/rowCheck.ts";
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
  /** Objects of which results are stored that have to be computed again. */
  changedObjects: readonly ChangedObject[];
  /** What may be run before the questions that say so, in a transaction that is undone. */
  makes: readonly string[];
  /** What may show that nothing of that has changed; not asked yet. */
  comparison: ResultComparison | undefined;
}

/**
 * The ordered statements that turn the database into what is desired, without blocking those who use tables
 * with rows.
 *
 * @param unfinished what an earlier run has changed, and after which it did not get to everything that is
 *   stored of its results.
 * @param recreated what goes first and comes back after, beside what is known to have to.
 */
export async function planUpdate(
  client: ClientBase | Pool,
  catalog: Catalog,
  target: Transition<unknown>,
  unfinished: readonly ChangedObject[] = [],
  recreated: readonly StableId[] = [],
): Promise<LayerPlan> {
  const { live, desired, takenBack, expired = [], conversions = new Map() } = target;
  const majorVersion = Number.parseInt(catalog.serverVersion, 10);
  const dropping = planSegments(live, desired, majorVersion, recreated);
  const direct = joinedLists(dropping.map(({ list }) => list));
  const renames = [...target.renames, ...(takenBack?.renames ?? [])];
  const returning = joinedLists([asList(renameStatements(target.renames)), ...(takenBack ? [takenBack.list] : [])]);
  const nameNow = nameBefore(catalog, renames);
  const dropped = new Set(expired.flatMap(({ id }) => (id === undefined ? [] : [encodeId(id)])));
  const isGoing = (key: string): boolean => takenBack?.present.has(key) === true || dropped.has(key);
  refuseLosingKept(catalog.kept, target, nameNow, isGoing);
  const objects = [...changedObjects(live, desired), ...unfinished];
  const stored = await readStoredResults(client, objects, { before: nameNow, now: newIds(renames) });
  const stale = stored.filter((result) => staysStale(result, direct.statements, live, desired));
  const sizes = await readSizes(
    client,
    live,
    desired,
    [...returning.statements, ...direct.statements],
    stale.map(({ id, table }) => table ?? id),
    nameNow,
  );
  const retired = retiredBy(target, sizes);
  const segments = retired === undefined ? dropping : planSegments(retired.live, desired, majorVersion, recreated);
  const ahead = joinedLists([returning, ...(retired ? [retired.list] : [])]);
  const isProjected = catalog.nameNow !== undefined;
  const names = { live, desired, nameNow, isRenaming: renames.length > 0, isProjected };
  await refuseWithoutCast(client, direct.statements, conversions, names);
  const { invalidIndexes } = catalog;
  const context = { live, desired, sizes, invalidIndexes, majorVersion, conversions };
  const planned = withRecomputed(segments, recompute(stale, context), desired).map((segment): Part => {
    const known = withoutFresh(sizes, segment);
    const converted = withConversions(segment.list.statements, conversions, segment.desired, known);
    const statements = [...behindCalledFunctions(converted, segment.live, segment.desired, conversions)];
    return {
      ...segment,
      list: { ...segment.list, statements },
      sizes: known,
      invalidIndexes,
      majorVersion,
      conversions,
    };
  });
  const contexts = planned.map((part) => ({ ...part, statements: part.list.statements, nameNow }));
  const displaced = await displacing(
    client,
    contexts.filter(({ isTogether, isLinking }) => !isTogether && !isLinking),
  );
  const parts = planned.map((part) => ({ ...part, displacing: displaced }));
  const ordered = ahead.statements.length === 0 ? onlineParts(parts) : inOrder(parts, ahead.statements);
  const [first = [], ...others] = ordered.map((part) => withColumnsAddedTogether(part, desired));
  const statements = [[...takingBack(catalog.rowMoves, [first, ...others].flat()), ...first], ...others];
  const { settings } = joinedLists([ahead, ...segments.map((segment) => segment.list)]);
  const list = withSearchPaths({ settings, statements: [...statements.flat(), ...expired] }, desired);
  const sides = statements.flatMap((part, n) => part.map(() => parts[n] ?? { live, desired, sizes }));
  const calls = new FunctionCalls(direct.statements, desired, conversions);
  const outdatedColumns = new Set(
    stale.flatMap(({ in: stored, id }) => (stored === "generated column" ? [encodeId(id)] : [])),
  );
  return {
    list,
    assessed: list.statements.map((statement, n) => {
      const side = sides[n] ?? { live, desired, sizes };
      return assess(statement, side.live, side.desired, side.sizes);
    }),
    questions: renameQuestions(direct.statements, live, desired, sizes),
    rowChecks: unasked(
      [
        ...parts.flatMap((part) =>
          rowQuestions({ ...part, outdatedColumns, statements: part.list.statements, nameNow }, calls),
        ),
        ...changedResultQuestions(
          { objects, stale, calls },
          { ...context, outdatedColumns, statements: direct.statements, nameNow },
        ),
      ],
      desired,
    ),
    makes: madeBeforehand(direct.statements, live, desired),
    changedObjects: stale.length === 0 ? [] : objects,
    // While renames are pending, the database has what an expression names under other names.
    comparison:
      ahead.statements.length > 0 || unfinished.length > 0
        ? undefined
        : comparisonOf({ objects, stale, statements: direct.statements, live, desired, sizes }),
  };
}

const asList = (statements: Statement[]): StatementList => ({ statements, settings: [] });

/** What is retired of what the plan would drop; undefined of nothing. */
function retiredBy(
  { live, desired, keeping, takenBack }: Transition<unknown>,
  sizes: TableSizes,
): Retirement | undefined {
  if (keeping === undefined) return undefined;
  const dropped = droppedWithRows(live, desired, sizes);
  if (dropped.tables.length + dropped.columns.length === 0) return undefined;
  const schemas = new Set([...keeping.schemas, ...(takenBack?.schemas ?? [])]);
  return retire(dropped, live, desired, { ...keeping, schemas });
}

function withoutFresh(sizes: TableSizes, { fresh = [] }: Segment): TableSizes {
  const made = new Set(fresh.map(encodeId));
  return made.size === 0 ? sizes : new Map([...sizes].filter(([key]) => !made.has(key)));
}

function withSearchPaths(list: StatementList, desired: FactBase): StatementList {
  const pathFor = searchPathsIn(desired);
  const statements = list.statements.map((statement) => {
    const searchPath = pathFor(statement.sql);
    return searchPath === undefined ? statement : { ...statement, searchPath };
  });
  return { ...list, statements };
}

function unasked(questions: readonly RowQuestion[], desired: FactBase): RowCheck[] {
  const pathFor = questions.length === 0 ? () => undefined : searchPathsIn(desired);
  return questions.map((question) => {
    const searchPath = pathFor(question.makes === undefined ? question.statement : question.asks);
    return { question: searchPath === undefined ? question : { ...question, searchPath }, answer: { kind: "unasked" } };
  });
}

/** The present name of an object: before the renames of a plan, and of the plans before it in a preview. */
export function nameBefore({ nameNow }: Catalog, renames: readonly Rename[]): (id: StableId) => StableId {
  const oldId = newIds(renames.map(({ from, to }) => ({ from: to, to: from })));
  return (id) => nameNow?.(oldId(id)) ?? oldId(id);
}

type Part = Segment & OnlineContext & { recomputed: Recipe };

const NO_RECIPE: Recipe = { soon: [], later: [] };

/** What is computed again belongs to the last segment of the planner's. */
function withRecomputed(
  segments: readonly Segment[],
  recomputed: Recipe,
  desired: FactBase,
): (Segment & { recomputed: Recipe })[] {
  const at = segments.findLastIndex(({ isLinking, isTogether }) => !isLinking && !isTogether);
  const none: Segment = {
    live: desired,
    desired,
    list: { statements: [], settings: [] },
    isLinking: false,
    isTogether: false,
  };
  const all = at === -1 && recomputed.soon.length + recomputed.later.length > 0 ? [...segments, none] : segments;
  const last = at === -1 ? all.length - 1 : at;
  return all.map((segment, n) => ({ ...segment, recomputed: n === last ? recomputed : NO_RECIPE }));
}

/** Steps ahead of a segment, and those in it. */
function onlinePart(part: Part): { ahead: Statement[]; statements: Statement[] } {
  if (part.isLinking) return onlineLinks(part.list.statements, part);
  return {
    ahead: [],
    statements: part.isTogether ? part.list.statements : online(part.list, part, part.recomputed).statements,
  };
}

/** Steps ahead stay before their segment, unless nothing may come between the segments. */
function onlineParts(parts: readonly Part[]): Statement[][] {
  const done = parts.map(onlinePart);
  const aheadOfAll = parts.some(({ isTogether }) => isTogether) ? done.flatMap(({ ahead }) => ahead) : undefined;
  return done.map(({ ahead, statements }, n) =>
    aheadOfAll === undefined ? [...ahead, ...statements] : [...(n === 0 ? aheadOfAll : []), ...statements],
  );
}

/** Renames and what is retired come first, but for what ends its own transaction. */
function inOrder(parts: readonly Part[], renaming: readonly Statement[]): Statement[][] {
  const isAhead = ({ transaction }: Statement): boolean => transaction === "last";
  const ahead = parts.flatMap(({ list }) => list.statements.filter(isAhead));
  const rest = parts.map((part) => {
    const statements = part.list.statements.filter((statement) => !isAhead(statement));
    return { ...part, list: { ...part.list, statements }, inOrder: true };
  });
  const [first = [], ...others] = onlineParts(rest);
  return [[...ahead, ...renaming, ...first], ...others];
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
