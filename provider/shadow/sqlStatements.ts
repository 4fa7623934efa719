/**
 * Where the statements of a file begin and end, as `psql` would send them. Tokens come from
 * `plan/renames/sqlTokens.ts`.
 */
import { sqlTokens } from "../plan/renames/sqlTokens.ts";

/** Where a statement stands in a file, in UTF-16 units; its semicolon belongs to it. */
export interface SqlSpan {
  start: number;
  end: number;
}

/**
 * The statements of a file, as `psql` would send them: they end at a semicolon outside of brackets and of the
 * body of a function in SQL (`BEGIN ATOMIC … END`).
 *
 * @see https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-PROMPTING
 */
export function sqlStatements(sql: string): SqlSpan[] {
  const spans: SqlSpan[] = [];
  let start: number | undefined;
  let brackets = 0;
  /** Open `BEGIN ATOMIC` and `CASE`, each of which ends with `END`. */
  let blocks = 0;
  let previous = "";
  for (const { kind, text, start: at, end } of sqlTokens(sql)) {
    if (kind === "comment") continue;
    start ??= at;
    const word = kind === "word" ? text.toUpperCase() : "";
    if (kind === "symbol" && text === "(") brackets += 1;
    if (kind === "symbol" && text === ")") brackets -= 1;
    if (word === "ATOMIC" && previous === "BEGIN") blocks += 1;
    if (blocks > 0 && word === "CASE") blocks += 1;
    if (blocks > 0 && word === "END") blocks -= 1;
    if (kind === "symbol" && text === ";" && brackets <= 0 && blocks === 0) {
      spans.push({ start, end });
      start = undefined;
      brackets = 0;
    }
    previous = word;
  }
  if (start !== undefined) spans.push({ start, end: sql.length });
  return spans;
}
