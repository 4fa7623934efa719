import type { ClientBase, Pool } from "pg";
import type { FactBase, StableId } from "../catalog/pgDelta.ts";
import type { Catalog } from "../catalog/readCatalog.ts";
import { searchPathsIn } from "../catalog/searchPath.ts";
import { rowsBehind, type TableSizes } from "../catalog/tables.ts";
import { type Hazard, hazardsOf } from "./hazards.ts";
import { online } from "./online.ts";
import { statementsFor } from "./planStatements.ts";
import { newIds } from "./renames/renamedFacts.ts";
import { type Rename, renameStatements } from "./renames/renames.ts";
import { type RenameQuestion, renameQuestions } from "./renames/suspected.ts";
import type { Statement, StatementList } from "./statement.ts";
import { readSizes } from "./tableSizes.ts";
import type { Target } from "./transition.ts";

/** A statement with what it may do to others. */
export interface JudgedStatement {
  statement: Statement;
  hazards: Hazard[];
  /** Rows of the table that it touches; an estimate, 0 for a new or empty table. */
  rows: number;
}

/** What an update would run. */
export interface LayerPlan {
  list: StatementList;
  judged: JudgedStatement[];
  /** What may be a rename that nobody declared. */
  questions: RenameQuestion[];
}

/** The ordered statements that turn the database into what is wanted, without blocking those who use tables with rows. */
export async function planLayer(
  client: ClientBase | Pool,
  catalog: Catalog,
  target: Target<unknown>,
): Promise<LayerPlan> {
  const { live, wanted, renames } = target;
  const direct = statementsFor(live, wanted);
  const renaming = renameStatements(renames);
  const sizes = await readSizes(
    client,
    live,
    wanted,
    [...renaming, ...direct.statements],
    nameBefore(catalog, renames),
  );
  const { invalidIndexes, serverVersion } = catalog;
  const context = { live, wanted, sizes, invalidIndexes, majorVersion: Number.parseInt(serverVersion, 10) };
  const list = withSearchPaths(
    renaming.length === 0 ? online(direct, context) : inOrder(direct, renaming, context),
    wanted,
  );
  return {
    list,
    judged: list.statements.map((statement) => judge(statement, live, wanted, sizes)),
    questions: renameQuestions(direct.statements, live, wanted, sizes),
  };
}

function withSearchPaths(list: StatementList, wanted: FactBase): StatementList {
  const pathFor = searchPathsIn(wanted);
  const statements = list.statements.map((statement) => {
    const searchPath = pathFor(statement.sql);
    return searchPath === undefined ? statement : { ...statement, searchPath };
  });
  return { ...list, statements };
}

/** What the database calls a table before the renames of a plan, and of the plans before it in a preview. */
export function nameBefore({ nameNow }: Catalog, renames: readonly Rename[]): (table: StableId) => StableId {
  const oldId = newIds(renames.map(({ from, to }) => ({ from: to, to: from })));
  return (table) => nameNow?.(oldId(table)) ?? oldId(table);
}

/** Renames come first, but for what ends its own transaction. */
function inOrder(
  direct: StatementList,
  renaming: readonly Statement[],
  context: Parameters<typeof online>[1],
): StatementList {
  const isAhead = ({ transaction }: Statement): boolean => transaction === "last";
  const rest = direct.statements.filter((statement) => !isAhead(statement));
  const { statements } = online({ ...direct, statements: rest }, { ...context, inOrder: true });
  return { ...direct, statements: [...direct.statements.filter(isAhead), ...renaming, ...statements] };
}

function judge(statement: Statement, live: FactBase, wanted: FactBase, sizes: TableSizes): JudgedStatement {
  return {
    statement,
    hazards: hazardsOf(statement, { live, wanted, sizes }),
    rows: rowsBehind(statement.id, sizes, live, wanted),
  };
}
