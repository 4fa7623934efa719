/**
 * Expressions that the server computes for each row, and fails for some: whether one can fail at all, and
 * what lists and counts such rows.
 */
import { sqlTokens } from "../renames/sqlTokens.ts";
import { COUNT_SETTING, MOST_COUNTED, type RowQuestion } from "./rowCheck.ts";

interface Trial {
  keys: readonly string[];
  expression: string;
  /** The columns that it reads. */
  values: readonly string[];
  source: string;
}

/** Blocks that list and count the rows that an expression fails for. */
export function trials(trial: Trial): Pick<RowQuestion, "lists" | "counts"> {
  const keys = trial.keys.map((_key, n) => `held.k${n + 1}`).join(", ");
  return {
    lists: trialBlock(trial, `RAISE NOTICE '%', pg_catalog.concat_ws(', ', ${keys});`),
    counts: trialBlock(
      trial,
      `found := found + 1; EXIT WHEN found > ${MOST_COUNTED};`,
      `PERFORM pg_catalog.set_config('${COUNT_SETTING}', found::pg_catalog.text, true);`,
    ),
  };
}

/** Tries each row by itself. A read-only transaction may run a block, and cannot make a function. */
function trialBlock({ keys, expression, values, source }: Trial, onFailure: string, atEnd = ""): string {
  const listed = [...keys.map((key, n) => `${key} AS k${n + 1}`), ...values.map((name, n) => `${name} AS v${n + 1}`)];
  const row = values.map((name, n) => `held.v${n + 1} AS ${name}`).join(", ");
  return `DO $pgstrata$
#variable_conflict use_column
DECLARE held record; found int := 0;
BEGIN
  FOR held IN SELECT ${listed.join(", ")} FROM ${source} LOOP
    BEGIN
      PERFORM ${expression} FROM (SELECT ${row}) AS one_row;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded OR raise_exception THEN
      ${onFailure}
    END;
  END LOOP;
  ${atEnd}
END $pgstrata$`;
}

/** Functions of the server that have a result for every value, and words that come before brackets. */
const TOTAL_FUNCTIONS = new Set(
  [
    "lower upper initcap btrim ltrim rtrim md5 length char_length octet_length reverse hashtext coalesce nullif greatest least",
    "count sum min max avg bool_and bool_or array_agg string_agg row_number rank dense_rank",
    "any all array and or not in exists case when then else is distinct on using where having by values filter over as",
    "select from join lateral union except intersect materialized group order",
  ].flatMap((words) => words.split(" ")),
);

/** Before a query in brackets that may have many rows; elsewhere more than one is an error. */
const BEFORE_QUERIES = new Set([
  "from",
  "join",
  "lateral",
  "exists",
  "in",
  "any",
  "all",
  "as",
  "materialized",
  "union",
]);

const TOTAL_OPERATORS = new Set([
  "=",
  "<",
  ">",
  "<=",
  ">=",
  "<>",
  "||",
  "->",
  "->>",
  "#>",
  "#>>",
  "::",
  "?",
  "@>",
  "<@",
]);
/** Brackets, and what divides names and lists. */
const BRACKETS = /[()[\],.;*]/;
const TOTAL_CASTS = /^::\s*(?:text|character varying)?(?![\w.("])/;

/**
 * Whether an expression as the server prints it may raise an error for a row. It cannot where it does no more
 * than read columns, compare them, and call functions that have a result for every value.
 */
export function canFail(printed: string): boolean {
  const tokens = sqlTokens(printed);
  let operator = "";
  for (const [n, { kind, text, start, end }] of tokens.entries()) {
    const next = tokens[n + 1];
    const isCalled = next?.kind === "symbol" && next.text === "(";
    const isName = kind === "word" || kind === "quoted";
    if (isCalled && isName && (tokens[n - 1]?.text === "." || !TOTAL_FUNCTIONS.has(text.toLowerCase()))) return true;
    const isQuery = text === "(" && next?.kind === "word" && next.text.toUpperCase() === "SELECT";
    if (isQuery && !BEFORE_QUERIES.has(tokens[n - 1]?.text.toLowerCase() ?? "")) return true;
    if (kind !== "symbol" || BRACKETS.test(text)) continue;
    operator += text;
    if (next?.kind === "symbol" && next.start === end && !BRACKETS.test(next.text)) continue;
    if (!TOTAL_OPERATORS.has(operator)) return true;
    // The server has read a literal by then.
    const before = tokens[n - operator.length];
    const isOfLiteral = before?.kind === "text" || /^\d+$/.test(before?.text ?? "");
    if (operator === "::" && !isOfLiteral && !TOTAL_CASTS.test(printed.slice(start - 1))) return true;
    operator = "";
  }
  return false;
}
