/**
 * Which stored results may be the same after a function has changed as before: what has to be compared, and
 * what follows where all are equal. The rows are compared in `apply/compareResults.ts`.
 */
import { firedEventTriggers } from "../catalog/eventTriggers.ts";
import { describe } from "../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase } from "../catalog/pgDelta.ts";
import { quoteQualified } from "../catalog/quote.ts";
import { searchPathsIn } from "../catalog/searchPath.ts";
import { type TableSizes, text } from "../catalog/tables.ts";
import { bodyStart } from "../catalog/textBodies.ts";
import { type ChangedObject, givesResults } from "./changedObjects.ts";
import type { Hazard } from "./hazards.ts";
import { MOST_ROWS_AT_ONCE, rowsOf } from "./online/recompute.ts";
import type { Statement } from "./statement.ts";
import type { StoredResult } from "./storedResults.ts";

/** What an index, a column or a check stores of its rows, as an expression. */
export interface ComparedResult {
  /** Encoded id of the object. */
  key: string;
  /** What follows FROM. */
  quotedSource: string;
  /** A record, as the server prints it. */
  quotedValues: string;
  searchPath?: string;
}

export interface ResultComparison {
  /** The functions as the plan makes them, in its order. */
  functions: readonly string[];
  results: readonly ComparedResult[];
}

/** Rows of each object, by its encoded id, of which all results have turned out equal. */
export type EqualResults = ReadonlyMap<string, number>;

interface ChangedResults {
  objects: readonly ChangedObject[];
  stale: readonly StoredResult[];
  statements: readonly Statement[];
  live: FactBase;
  desired: FactBase;
  sizes: TableSizes;
}

/**
 * The comparison that may spare an approval. Only a function that writes nothing is called, and none is made
 * where an event trigger would run or text search has changed.
 */
export function comparisonOf(changed: ChangedResults): ResultComparison | undefined {
  const { objects, stale, statements, live, desired, sizes } = changed;
  const results = stale.filter(
    (each) => each.isComparable && each.computed !== "" && rowsOf(each, sizes, live) > MOST_ROWS_AT_ONCE,
  );
  const isPure = objects.every((id) => [live, desired].every((side) => isPlain(side.get(id))));
  const routines = statements.filter(({ id }) => id?.kind === "function" || id?.kind === "procedure");
  const isDropped = routines.some(({ op }) => op === "delete");
  if (results.length === 0 || !isPure || isDropped || firedEventTriggers(live).length > 0) return undefined;
  const pathFor = searchPathsIn(live);
  return {
    functions: routines.map(({ sql }) => sql).filter((sql) => sql.startsWith("CREATE ")),
    results: results.flatMap(({ id, in: stored, table, computed }): ComparedResult[] => {
      if (table === undefined) return [];
      const searchPath = pathFor(computed);
      // A check holds for the rows of the tables below as well.
      const only = stored === "check" ? "" : "ONLY ";
      const quotedSource = `${only}${quoteQualified(table.schema, table.name)}`;
      return [
        {
          key: encodeId(id),
          quotedSource,
          quotedValues: computed,
          ...(searchPath === undefined ? {} : { searchPath }),
        },
      ];
    }),
  };
}

/**
 * Statements that make or change functions, collations and objects of text search, as questions may be asked
 * after them: they lock no table. None where an event trigger would run.
 */
export function madeBeforehand(statements: readonly Statement[], live: FactBase, desired: FactBase): string[] {
  if (firedEventTriggers(live).length > 0) return [];
  return statements.flatMap(({ id, sql, op }) => {
    if (id === undefined || op === "delete") return [];
    const isRoutine = id.kind === "function" || id.kind === "procedure";
    const isMade = isRoutine
      ? sql.startsWith("CREATE ") && LANGUAGES.has(text(desired.get(id), "language"))
      : (givesResults(id) && sql.startsWith("ALTER TEXT SEARCH ")) || sql.startsWith("CREATE COLLATION ");
    return isMade ? [sql] : [];
  });
}

const LANGUAGES: ReadonlySet<string> = new Set(["sql", "plpgsql"]);

/** Whether the server lets a function write nothing. */
function isPlain(fact: Fact | undefined): boolean {
  const definition = text(fact, "def");
  const head = definition.slice(0, bodyStart(definition));
  return LANGUAGES.has(text(fact, "language")) && /^ (?:WINDOW )?IMMUTABLE\b/m.test(head);
}

/**
 * A plan that need not be approved where the rows have shown equal results. What a row that is written
 * between the comparison and the change has stored is still brought up to date, by the same steps.
 */
export function withEqualResults<Plan extends { assessed: { statement: Statement; hazards: Hazard[] }[] }>(
  plan: Plan,
  equal: EqualResults,
): Plan {
  if (equal.size === 0) return plan;
  const assessed = plan.assessed.map((each) => {
    const { recomputes } = each.statement;
    const rows = recomputes && equal.get(encodeId(recomputes.id));
    if (recomputes === undefined || rows === undefined) return each;
    const message =
      `${describe(recomputes.id)} holds results of a changed function, and they are equal on ${rows.toLocaleString("en-US")} rows: ` +
      "those of rows that are written until the change are brought up to date right after the transaction";
    return { ...each, hazards: each.hazards.map((hazard) => ({ ...hazard, stops: false, message })) };
  });
  return { ...plan, assessed };
}
