/**
 * How a virtual generated column is told from a stored one, which pg-delta does not do: a mark before its
 * expression, taken off again in the SQL.
 */
import type { Fact, FactBase } from "./pgDelta.ts";

/**
 * Before the expression of a column that is not stored: the library takes every generated column for a stored
 * one.
 */
const MARK = "/* virtual */ ";

/** The fact of a generated column, saying that it is computed when it is read. */
export function asVirtual(column: Fact): Fact {
  return { ...column, payload: { ...column.payload, generatedExpr: `${MARK}${column.payload.generatedExpr}` } };
}

/** An expression without what {@link asVirtual} put before it. */
export const unmarked = (expression: string): string =>
  expression.startsWith(MARK) ? expression.slice(MARK.length) : expression;

export const isGenerated = (column: Fact | undefined): boolean => typeof column?.payload.generatedExpr === "string";

export function isVirtual(column: Fact | undefined): boolean {
  const expression = column?.payload.generatedExpr;
  return typeof expression === "string" && expression.startsWith(MARK);
}

/** Writes the SQL of columns as they are desired. */
export function virtualWriter(desired: FactBase): (sql: string) => string {
  const expressions = new Set(
    desired
      .facts()
      .flatMap((fact) => (fact.id.kind === "column" && isVirtual(fact) ? [String(fact.payload.generatedExpr)] : [])),
  );
  return (sql) => {
    let written = sql;
    for (const marked of expressions)
      written = written.replaceAll(`(${marked}) STORED`, () => `(${unmarked(marked)}) VIRTUAL`);
    return written;
  };
}
