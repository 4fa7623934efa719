/**
 * Questions of the entries that an index has for rows: expressions and predicates that fail for some, and
 * values that are too long. Rows that break a key are left to `constraints.ts`.
 */
import { quoteIdent, quoteLiteral, quoteQualified } from "../../catalog/quote.ts";
import { text } from "../../catalog/tables.ts";
import { type SqlToken, sqlTokens } from "../renames/sqlTokens.ts";
import type { Statement } from "../statement.ts";
import { enumValues, typeOf } from "./columnTypes.ts";
import { bracketed, exclusionOf, type KeyPart, keyOf, partOf, wordsIn } from "./definitions.ts";
import { type RowQuestion, refusal } from "./rowCheck.ts";
import {
  columnsIn,
  conversionOf,
  idOf,
  listedBy,
  type QuestionContext,
  shown,
  sourceOf,
  type TableName,
} from "./source.ts";
import { canFail, trials } from "./trials.ts";

/** What an index holds for a row. */
interface Entries {
  method: string;
  parts: KeyPart[];
  predicate: string | undefined;
}

/** @param def of an index, or of a constraint that has one. */
export function entryQuestions(
  statement: Statement,
  table: TableName,
  def: string,
  context: QuestionContext,
): RowQuestion[] {
  const entries = entriesOf(def);
  if (entries === undefined || isBuiltAlready(entries, table, context)) return [];
  return [
    ...failingQuestion(statement, table, entries, context),
    ...lengthQuestion(statement, table, entries, context),
  ];
}

const isKeyword = ({ kind, text }: SqlToken, word: string): boolean => kind === "word" && text.toUpperCase() === word;

function entriesOf(def: string): Entries | undefined {
  const isExclusion = def.startsWith("EXCLUDE ");
  const key = isExclusion ? exclusionOf(def) : keyOf(def);
  if (key === undefined) return undefined;
  const tokens = sqlTokens(def);
  const using = tokens.findIndex((token) => isKeyword(token, "USING"));
  const { rest = "" } = bracketed(def.slice(tokens[using]?.end ?? 0)) ?? {};
  const included = /^ INCLUDE /.test(rest) ? (bracketed(rest)?.items ?? []) : [];
  return {
    method: using === -1 ? "btree" : (tokens[using + 1]?.text ?? ""),
    parts: [...key.parts, ...included.map(partOf)],
    predicate: key.predicate,
  };
}

/** Whether an index that the database has holds as much of every row. */
function isBuiltAlready({ method, parts }: Entries, table: TableName, { live }: QuestionContext): boolean {
  return live.childrenOf(idOf(table)).some(({ id, payload }) => {
    if (id.kind !== "index" || payload.valid === false) return false;
    const known = entriesOf(String(payload.def));
    if (known === undefined || known.method !== method || known.predicate !== undefined) return false;
    const held = new Set(known.parts.map(({ expression }) => expression));
    return parts.every(({ expression }) => held.has(expression));
  });
}

/** The server prints an expression that is no call in brackets of its own. */
const withoutBrackets = (sql: string): string =>
  sql.startsWith("(") && bracketed(sql)?.rest === "" ? sql.slice(1, -1) : sql;

function failingQuestion(
  statement: Statement,
  table: TableName,
  { parts, predicate }: Entries,
  context: QuestionContext,
): RowQuestion[] {
  const computed = parts.flatMap(({ expression, column }) => (column === undefined ? [expression] : []));
  const used = [...computed, ...(predicate === undefined ? [] : [predicate])];
  const failing = used.filter(canFail);
  const source = sourceOf(table, { uses: used, isOnly: true }, context);
  if (failing.length === 0 || source === undefined) return [];
  const all = computed.length === 0 ? "true" : `pg_catalog.num_nulls(${computed.join(", ")})`;
  const values = columnsIn(context.desired, table, wordsIn(used.join(" "))).map(quoteIdent);
  return [
    refusal(statement, {
      obstacle: `of ${shown(table)} for which ${failing.map(withoutBrackets).join(", ")} cannot be computed`,
      asks: `SELECT pg_catalog.count(${all}) FROM ${source}${predicate === undefined ? "" : ` WHERE (${predicate})`}`,
      isConversion: true,
      ...trials({
        keys: listedBy(table, context),
        expression: predicate === undefined ? all : `CASE WHEN (${predicate}) THEN ${all} END`,
        values,
        source,
      }),
      advice: "Correct them, or change the expression so that it has a value for each row.",
    }),
  ];
}

/**
 * Bytes of values from which on there is no room for an entry: the third of a page that a B-tree gives to
 * one, without the header of the entry and that of a value that is stored apart.
 */
const MOST_IN_BTREE = 2692;

/** Values of these types have no more bytes than a number or a short text. */
const SHORT =
  /^(?:smallint|integer|bigint|real|double precision|boolean|uuid|date|time.*|interval.*|numeric\(.*|inet|cidr|macaddr8?|oid|money|"char"|name)$/;
const MOST_BYTES_A_LETTER = 4;

function isShort(type: string, { desired, live }: QuestionContext): boolean {
  const [, limit] = /^character(?: varying)?\((\d+)\)$/.exec(type) ?? [];
  if (limit !== undefined) return Number(limit) * MOST_BYTES_A_LETTER <= MOST_IN_BTREE / 4;
  return (
    SHORT.test(type) || (!type.endsWith("[]") && (enumValues(type, desired) ?? enumValues(type, live)) !== undefined)
  );
}

/**
 * A stored value is compressed as an index would compress it, so its size tells. That of a computed one is
 * not known before.
 */
function lengthQuestion(
  statement: Statement,
  table: TableName,
  { method, parts, predicate }: Entries,
  context: QuestionContext,
): RowQuestion[] {
  if (method !== "btree") return [];
  const long = parts.filter(({ column, expression }) =>
    column === undefined ? isLongExpression(expression) : !isShort(typeOf(column, table, context), context),
  );
  const now = context.nameNow(idOf(table));
  const source = sourceOf(
    table,
    { uses: [...parts.map(({ expression }) => expression), predicate ?? ""], isOnly: true },
    context,
  );
  if (long.length === 0 || source === undefined || now.kind !== "table") return [];
  const isStored = long.every(({ column }) => column !== undefined && isStoredAs(column, table, context));
  const sizes = parts.map(({ expression }) => `COALESCE(pg_catalog.pg_column_size(${expression}), 0)`);
  const isTooLong = `${predicate === undefined ? "" : `(${predicate}) AND `}${sizes.join(" + ")} > ${MOST_IN_BTREE}`;
  const select = `SELECT ${listedBy(table, context).join(", ")} FROM ${source} WHERE`;
  const shownParts = parts.map(({ expression }) => expression).join(", ");
  return [
    refusal(statement, {
      ...(isStored ? {} : { effect: "doubtful" }),
      isTriedBefore: true,
      obstacle: `of ${shown(table)} whose (${shownParts}) has more than the ${MOST_IN_BTREE.toLocaleString("en-US")} bytes that an entry of a B-tree index has room for`,
      // A value of that length is stored apart: where none is, no row is read.
      asks: `${select} ${hasValuesApart(quoteQualified(now.schema, now.name))} AND ${isTooLong}`,
      lists: `${select} ${isTooLong}`,
      advice: isStored
        ? "Shorten them, or index what is shorter, such as md5(…), or use a hash index."
        : "The server compresses them first, and refuses the index in the update where that is not enough.",
    }),
  ];
}

function hasValuesApart(table: string): string {
  const root = `${quoteLiteral(table)}::pg_catalog.regclass`;
  return (
    "(SELECT pg_catalog.bool_or(pg_catalog.pg_relation_size(reltoastrelid) > 0) FROM pg_catalog.pg_class " +
    `WHERE oid = ${root} OR oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(${root})))`
  );
}

/** Functions whose results are short for any value. */
const SHORT_RESULT =
  /^\(*(?:md5|left|"left"|length|char_length|octet_length|hashtext|sha\d+|date_trunc|extract|abs|to_tsvector)\(/i;

/** Results of casts to short types, comparisons and sums are not long. */
const isLongExpression = (expression: string): boolean =>
  /\b(?:lower|upper|initcap|btrim|ltrim|rtrim|coalesce|concat|replace|reverse)\(|\|\||->>|#>>|::(?:text|jsonb)\b/i.test(
    expression,
  ) && !SHORT_RESULT.test(expression);

/** Whether the value that the database holds is the one that is indexed. */
function isStoredAs(column: string, table: TableName, context: QuestionContext): boolean {
  const id = { kind: "column", schema: table.schema, table: table.name, name: column } as const;
  const { live, desired } = context;
  const isSame = text(live.get(id), "generatedExpr") === text(desired.get(id), "generatedExpr");
  return live.has(id) && isSame && conversionOf(id, context) === undefined;
}
