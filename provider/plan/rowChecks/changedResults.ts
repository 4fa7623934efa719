/**
 * Questions of what is stored of the results of changed functions: which rows do the new results break, and
 * for which is there none? Where results are stored is read in `storedResults.ts`.
 */
import { describe } from "../../catalog/objectNames.ts";
import { encodeId } from "../../catalog/pgDelta.ts";
import { quoteIdent } from "../../catalog/quote.ts";
import { text } from "../../catalog/tables.ts";
import { unmarked } from "../../catalog/virtualColumns.ts";
import type { FunctionCalls } from "../calledFunctions.ts";
import type { ChangedObject } from "../changedObjects.ts";
import type { StoredResult } from "../storedResults.ts";
import { checkQuestion, exclusionQuestion, keyQuestion } from "./constraints.ts";
import { keyOf, wordsIn } from "./definitions.ts";
import { dependentQuestions } from "./dependents.ts";
import { domainQuestions } from "./domains.ts";
import { misplacedQuestions } from "./partitions.ts";
import { type Change, type RowQuestion, refusal } from "./rowCheck.ts";
import { columnsIn, listedBy, type QuestionContext, shown, sourceOf } from "./source.ts";
import { trials } from "./trials.ts";

/** What a plan changes, where its results are stored, and which statements make what is called then. */
export interface ChangedResults {
  objects: readonly ChangedObject[];
  stale: readonly StoredResult[];
  calls: FunctionCalls;
}

/** What is asked after the functions have been made as the plan says, in a transaction that is undone. */
export function changedResultQuestions(
  { objects, stale, calls }: ChangedResults,
  context: QuestionContext,
): RowQuestion[] {
  if (stale.length === 0) return [];
  const changed = new Set(objects.map(encodeId));
  const makers = context.statements.filter(({ id }) => id !== undefined && changed.has(encodeId(id)));
  const makes = [...new Set(makers.flatMap((maker) => [...calls.of(maker), maker]))].map(({ sql }) => sql);
  const subject = `the change of ${objects.map(describe).join(", ")}`;
  const outdated = { ...context, isOutdated: true };
  return stale.flatMap((result) =>
    questionsOf(result, { sql: subject, subject }, outdated).map((question) => ({ ...question, makes })),
  );
}

function questionsOf(result: StoredResult, change: Change, context: QuestionContext): RowQuestion[] {
  const { id, table } = result;
  if (id.kind === "materializedView") return viewQuestions(id, result, change, context);
  if (id.kind === "constraint" && table === undefined)
    return domainQuestions(change, { schema: id.schema, name: id.table }, definitionOf(result, context), context);
  if (table === undefined) return [];
  const def = definitionOf(result, context);
  switch (result.in) {
    case "check":
      return some(checkQuestion(change, table, def, context)).map((question) => ({
        ...question,
        obstacle: `${question.obstacle} by the changed ${result.of}`,
        advice: `Correct them, or change the ${result.of} so that it allows them.`,
      }));
    case "index":
      return [
        ...computedQuestions(result, change, context),
        ...(result.isUnique ? some(keyQuestion(change, table, def, context)) : []).map(asDuplicates(result)),
      ];
    case "exclusion":
      return [
        ...computedQuestions(result, change, context),
        ...some(exclusionQuestion(change, table, def, context)).map(asDuplicates(result)),
      ];
    case "partition key":
      return misplacedQuestions(change, table, result, context);
    case "generated column":
      return id.kind === "column" ? columnQuestions(id, result, change, context) : [];
    default:
      return [];
  }
}

const some = (question: RowQuestion | undefined): RowQuestion[] => (question === undefined ? [] : [question]);

/** By the names that the plan leads to; that of an object which is no fact as the database has it. */
function definitionOf({ id, definition }: StoredResult, { desired }: QuestionContext): string {
  return text(desired.get(id), "def") || definition;
}

const asDuplicates =
  ({ of }: StoredResult) =>
  (question: RowQuestion): RowQuestion => ({
    ...question,
    obstacle: `${question.obstacle} by the changed ${of}`,
    isErrorAsked: true,
    advice: `Correct them, or change the ${of} so that it tells them apart.`,
  });

/** Rows for which the new function raises an error. */
function computedQuestions(result: StoredResult, change: Change, context: QuestionContext, type = ""): RowQuestion[] {
  const { table, computed, id, of } = result;
  if (table === undefined || computed === "" || computed === "ROW(true)") return [];
  const source = sourceOf(table, { uses: [computed], isOnly: true }, context);
  if (source === undefined) return [];
  const expression = type === "" ? computed : `(${computed})::${type}`;
  const values = [
    ...new Set([context.live, context.desired].flatMap((side) => columnsIn(side, table, wordsIn(computed)))),
  ];
  return [
    refusal(change, {
      obstacle: `of ${shown(table)} for which the changed ${of} has no result to keep in ${describe(id)}`,
      asks: `SELECT pg_catalog.count(${expression}) FROM ${source}`,
      ...trials({ keys: listedBy(table, context), expression, values: values.map(quoteIdent), source }),
      isConversion: true,
      advice: `Correct them, or change the ${of} so that it has a result for each row.`,
    }),
  ];
}

/** A column that is computed once more, and what its values have to fit. */
function columnQuestions(
  id: { schema: string; table: string; name: string },
  result: StoredResult,
  change: Change,
  context: QuestionContext,
): RowQuestion[] {
  const { table, of } = result;
  const { notNull, type, generatedExpr } =
    context.desired.get({ kind: "column", schema: id.schema, table: id.table, name: id.name })?.payload ?? {};
  if (table === undefined || typeof generatedExpr !== "string") return [];
  const column = quoteIdent(id.name);
  const source = sourceOf(table, { uses: [column], isOnly: true }, context);
  const expression = { ...result, computed: unmarked(generatedExpr) };
  const empty =
    notNull !== true || source === undefined
      ? []
      : [
          refusal(change, {
            obstacle: `of ${shown(table)} for which ${id.name} has no value by the changed ${of}`,
            asks: `SELECT ${listedBy(table, context).join(", ")} FROM ${source} WHERE ${column} IS NULL`,
            advice: `Correct them, or change the ${of} so that it has a result for each row.`,
          }),
        ];
  return [
    ...computedQuestions(expression, change, context, String(type)),
    ...[...empty, ...dependentQuestions(change, id, context)].map((question) => ({ ...question, isErrorAsked: true })),
  ];
}

/** A materialized view: its query must succeed, and its unique indexes must hold. */
function viewQuestions(
  id: { schema: string; name: string },
  { definition, of }: StoredResult,
  change: Change,
  context: QuestionContext,
): RowQuestion[] {
  const name = quoteIdent(id.name);
  const source = `(${definition}) AS ${name}`;
  // Never true, and read of each row with all its columns.
  const all = `SELECT FROM ${source} WHERE pg_catalog.num_nulls(${name}) < 0`;
  const indexes = context.desired.childrenOf({ kind: "materializedView", schema: id.schema, name: id.name });
  const keys = indexes.filter((index) => /^CREATE UNIQUE /.test(text(index, "def")));
  return [
    refusal(change, {
      obstacle: `of materialized view ${shown(id)} for which the changed ${of} has no result`,
      asks: all,
      lists: all,
      isConversion: true,
      advice: `Run the query to see what the server says, and correct the rows or the ${of}.`,
    }),
    ...keys.flatMap((index): RowQuestion[] => {
      const key = keyOf(text(index, "def"));
      if (key === undefined || key.parts.length === 0) return [];
      const list = key.parts.map(({ expression }) => expression).join(", ");
      const conditions = [
        ...(key.predicate === undefined ? [] : [`(${key.predicate})`]),
        ...(key.nullsEqual ? [] : key.parts.map(({ expression }) => `(${expression}) IS NOT NULL`)),
      ];
      const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
      return [
        refusal(change, {
          unit: "value",
          obstacle: `of (${list}) in more than one row of materialized view ${shown(id)} by the changed ${of}`,
          asks: `SELECT ${list} FROM ${source}${where} GROUP BY ${list} HAVING pg_catalog.count(*) > 1`,
          isErrorAsked: true,
          advice: `Correct the rows that it reads, or change the ${of} so that it tells them apart.`,
        }),
      ];
    }),
  ];
}
