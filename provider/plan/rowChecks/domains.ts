/** Questions of a domain's constraint to the tables that hold its values. */
import { quoteIdent } from "../../catalog/quote.ts";
import { isNull, usesOfDomain } from "./columnTypes.ts";
import { clause } from "./definitions.ts";
import { type Change, type RowQuestion, refusal } from "./rowCheck.ts";
import { listedBy, mayHaveRows, type QuestionContext, shown, sourceOf, type TableName } from "./source.ts";

/** @param def the constraint as it is printed; undefined for NOT NULL. */
export function domainQuestions(
  statement: Change,
  domain: { schema: string; name: string },
  def: string | undefined,
  context: QuestionContext,
): RowQuestion[] {
  const expression = def === undefined ? undefined : clause(def, "CHECK");
  if (def !== undefined && expression === undefined) return [];
  return usesOfDomain(domain, context.live).flatMap(({ table, column, isWithin }) => {
    if (!context.desired.has({ kind: "column", schema: table.schema, table: table.name, name: column })) return [];
    const name = quoteIdent(column);
    if (isWithin) return [withinAnotherType(statement, table, column, context)];
    if (!mayHaveRows(table, context)) return [];
    const source = sourceOf(table, { uses: [name], isBefore: true }, context);
    if (source === undefined) return [];
    const keys = listedBy(table, context);
    const empty = isNull({ expression: name, column, operatorClass: undefined }, table, context);
    const listed = keys.map((key, n) => `${key} AS k${n + 1}`).join(", ");
    const renamed = keys.map((key, n) => `k${n + 1}${key.startsWith('"') ? ` AS ${key}` : ""}`).join(", ");
    return [
      refusal(statement, {
        obstacle: `of ${shown(table)} whose ${column} ${expression === undefined ? "has no value" : `CHECK (${expression}) refuses`}`,
        asks:
          expression === undefined
            ? `SELECT ${keys.join(", ")} FROM ${source} WHERE ${empty}`
            : `SELECT ${renamed} FROM (SELECT ${listed}, ${name} AS value FROM ${source}) AS held WHERE NOT (${expression})`,
        advice:
          expression === undefined
            ? "Give them a value, or leave NOT NULL out until they have one."
            : "Correct them, or declare the constraint NOT VALID until they are.",
      }),
    ];
  });
}

/** The server looks into no array and no composite value, and so refuses, also where there is no row. */
function withinAnotherType(statement: Change, table: TableName, column: string, context: QuestionContext): RowQuestion {
  const name = quoteIdent(column);
  return refusal(statement, {
    isUnsupported: true,
    obstacle: `in ${shown(table)}.${column}, within an array or another type, where the server does not check it`,
    asks: `SELECT ${name} FROM ${sourceOf(table, { uses: [name], isBefore: true }, context) ?? ""}`,
    advice:
      "Declare a CHECK as NOT VALID, which holds for new values; for NOT NULL, write CHECK (VALUE IS NOT NULL) NOT VALID.",
  });
}
