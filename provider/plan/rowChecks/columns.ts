/** Questions of columns: values that a column demands, and values that another type does not take. */
import { encodeId, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent } from "../../catalog/quote.ts";
import { text } from "../../catalog/tables.ts";
import { isVirtual, unmarked } from "../../catalog/virtualColumns.ts";
import { fillMark } from "../recipeConstraints.ts";
import type { Statement } from "../statement.ts";
import { typeChange } from "../typeChange.ts";
import { baseType, enumValues, factOfType, isArray, isNull } from "./columnTypes.ts";
import { wordsIn } from "./definitions.ts";
import { type RowQuestion, refusal } from "./rowCheck.ts";
import {
  columnsIn,
  conversionIn,
  conversionOf,
  fillOf,
  idOf,
  listedBy,
  type QuestionContext,
  shown,
  sourceOf,
  type TableName,
} from "./source.ts";
import { trials } from "./trials.ts";

export interface ColumnId {
  kind: "column";
  schema: string;
  table: string;
  name: string;
}

const tableIn = ({ schema, table }: ColumnId): TableName => ({ schema, name: table });

const select = (keys: readonly string[], source: string, condition?: string): string =>
  `SELECT ${keys.join(", ")} FROM ${source}${condition === undefined ? "" : ` WHERE ${condition}`}`;

/** `SET NOT NULL` */
export function notNullQuestions(statement: Statement, id: ColumnId, context: QuestionContext): RowQuestion[] {
  const table = tableIn(id);
  const constraint = (name: string): StableId => ({ kind: "constraint", schema: id.schema, table: id.table, name });
  // The recipe fills these rows in first.
  if (context.live.has(constraint(fillMark(id, context.desired)))) return [];
  const column = quoteIdent(id.name);
  if (isKnownNotNull(id, context)) return [];
  // A plain cast leaves no value empty, and may fail, which is a question of its own.
  const conversion = conversionOf(id, context);
  const isBefore = conversion === undefined || conversion.startsWith(`${column}::`);
  const source = sourceOf(table, { uses: [column], isBefore }, context);
  if (source === undefined) return [];
  const fill = fillOf(id, context);
  if (fill !== undefined)
    return fillQuestions(statement, id, { source, condition: `${column} IS NULL AND (${fill}) IS NULL` }, context);
  const condition = isNull({ expression: column, column: id.name, operatorClass: undefined }, table, context);
  return [
    refusal(statement, {
      obstacle: `of ${shown(table)} without a value in ${id.name}`,
      asks: select(listedBy(table, context), source, condition.slice(1, -1)),
      advice: `Give them one (UPDATE … SET ${column} = … WHERE ${column} IS NULL), or leave NOT NULL out until they have one.`,
    }),
  ];
}

/** Whether a check that the database holds proves that each row has a value. */
function isKnownNotNull(id: ColumnId, { live }: QuestionContext): boolean {
  const checks = [id.name, quoteIdent(id.name)].map((name) => `CHECK ((${name} IS NOT NULL))`);
  return live
    .childrenOf(idOf(tableIn(id)))
    .some(
      (fact) => fact.id.kind === "constraint" && fact.payload.validated === true && checks.includes(text(fact, "def")),
    );
}

/** A new column that demands a value and has none for the rows that are there, or is computed from them. */
export function newColumnQuestions(statement: Statement, id: ColumnId, context: QuestionContext): RowQuestion[] {
  const table = tableIn(id);
  const { desired } = context;
  const { notNull, identity, generatedExpr, type } = desired.get(id)?.payload ?? {};
  const column = quoteIdent(id.name);
  const source = sourceOf(table, { uses: [column] }, context);
  if (identity || source === undefined) return [];
  const isDemanded = notNull === true || domainDemandsValue(String(type), desired);
  const keys = listedBy(table, context);
  if (typeof generatedExpr === "string") return computedQuestions(statement, id, context);
  const fill = fillOf(id, context);
  const filled =
    fill === undefined || !isDemanded ? undefined : sourceOf(table, { uses: [fill], isBefore: true }, context);
  if (fill !== undefined)
    return filled === undefined
      ? []
      : fillQuestions(statement, id, { source: filled, condition: `(${fill}) IS NULL` }, context);
  const hasDefault =
    desired.has({ ...id, kind: "default" }) || text(factOfType(String(type), desired), "default") !== "";
  if (!isDemanded || hasDefault) return [];
  return [
    refusal(statement, {
      obstacle: `of ${shown(table)} without a value for the new column ${id.name}`,
      asks: select(keys, source),
      advice:
        "Declare a DEFAULT, or add the column without NOT NULL, fill it in, and make it NOT NULL in a later update.",
    }),
  ];
}

/** A column that is computed from the rows that are there, because it is new or has another expression. */
export function computedQuestions(statement: Statement, id: ColumnId, context: QuestionContext): RowQuestion[] {
  const table = tableIn(id);
  const fact = context.desired.get(id);
  const type = text(fact, "type");
  const isDemanded = fact?.payload.notNull === true || domainDemandsValue(type, context.desired);
  // One that is not stored is computed where each row has to have a value.
  if (isVirtual(fact) && !isDemanded) return [];
  const expression = `(${unmarked(text(fact, "generatedExpr"))})::${type}`;
  const source = sourceOf(table, { uses: [expression] }, context);
  if (source === undefined) return [];
  const keys = listedBy(table, context);
  const values = columnsIn(context.desired, table, wordsIn(expression)).map(quoteIdent);
  const computed = refusal(statement, {
    obstacle: `of ${shown(table)} for which ${id.name} cannot be computed`,
    asks: `SELECT pg_catalog.count(${expression}) FROM ${source}`,
    ...trials({ keys, expression, values, source }),
    isConversion: true,
    advice: "Correct them, or change the expression so that it has a value for each row.",
  });
  const empty = refusal(statement, {
    obstacle: `of ${shown(table)} for which ${id.name} has no value`,
    asks: select(keys, source, `(${expression}) IS NULL`),
    isTriedBefore: true,
    advice: "Correct them, change the expression, or leave NOT NULL out.",
  });
  return isDemanded ? [computed, empty] : [computed];
}

/** Rows for which a conversion has no value. */
function fillQuestions(
  statement: Statement,
  id: ColumnId,
  { source, condition }: { source: string; condition: string },
  context: QuestionContext,
): RowQuestion[] {
  const table = tableIn(id);
  return [
    refusal(statement, {
      obstacle: `of ${shown(table)} for which the conversion of ${id.name} has no value`,
      asks: select(listedBy(table, context), source, condition),
      advice: "Correct them, or change the conversion so that it has a value for each row.",
    }),
  ];
}

function domainDemandsValue(type: string, desired: FactBase): boolean {
  const fact = isArray(type) ? undefined : factOfType(type, desired);
  if (fact?.id.kind !== "domain") return false;
  return fact.payload.notNull === true || domainDemandsValue(text(fact, "baseType"), desired);
}

/** `ALTER COLUMN … TYPE … USING …` */
export function conversionQuestions(statement: Statement, id: ColumnId, context: QuestionContext): RowQuestion[] {
  const expression = conversionIn(statement);
  const table = tableIn(id);
  const { live, desired } = context;
  const [from, to] = [text(live.get(id), "type"), text(desired.get(id), "type")];
  if (expression === undefined || to === "") return [];
  const values = enumValues(to, desired);
  const source = sourceOf(table, { uses: [expression], isBefore: true }, context);
  if (source === undefined) return [];
  const change = from === to ? "narrowing" : typeChange(from, to);
  if (values !== undefined && !context.conversions?.has(encodeId(id)))
    return [enumQuestion(statement, id, { to, values, source }, context)];
  if (change !== "narrowing") return [];
  const [before, after] = [baseType(from, live), baseType(to, desired)];
  return [
    ...(isText(after) && after === to
      ? []
      : [failingQuestion(statement, id, { from: before, to, expression, source }, context)]),
    ...lossQuestions(statement, id, { from: before, to: after, expression, source }, context),
  ];
}

interface Conversion {
  from: string;
  to: string;
  expression: string;
  source: string;
}

/** By its label, which a column of another enum or of text has as well. */
function enumQuestion(
  statement: Statement,
  id: ColumnId,
  { to, values, source }: { to: string; values: readonly string[]; source: string },
  context: QuestionContext,
): RowQuestion {
  const column = quoteIdent(id.name);
  const labels = `ARRAY[${values.map((value) => `'${value.replaceAll("'", "''")}'`).join(", ")}]::pg_catalog.text[]`;
  const isUnknown = (value: string): string => `${value}::pg_catalog.text <> ALL (${labels})`;
  const condition = isArray(to)
    ? `EXISTS (SELECT FROM pg_catalog.unnest(${column}::pg_catalog.text[]) AS element (label) WHERE ${isUnknown("label")})`
    : isUnknown(column);
  const table = tableIn(id);
  return refusal(statement, {
    obstacle: `of ${shown(table)} whose ${id.name} is not a value of ${to}`,
    asks: select(listedBy(table, context), source, condition),
    advice: `Change them to a value that ${to} has, or leave the value that they have in the type.`,
  });
}

const isText = (type: string): boolean => /^(text|character varying|character)(\(\d+\))?$/.test(type);
const INTEGERS: readonly string[] = ["smallint", "integer", "bigint"];
const isNumeric = (type: string): boolean => /^numeric(\(|$)/.test(type);

/** Types whose conversion reads what the old one prints, and no more. */
const readsText = (from: string, to: string): boolean =>
  isText(from) || (INTEGERS.includes(from) && INTEGERS.includes(to)) || (isNumeric(from) && isNumeric(to));

function failingQuestion(
  statement: Statement,
  id: ColumnId,
  { from, to, expression, source }: Conversion,
  context: QuestionContext,
): RowQuestion {
  const table = tableIn(id);
  const column = quoteIdent(id.name);
  const keys = listedBy(table, context);
  const isPlain = expression === `${column}::${to}`;
  const isValid = `pg_catalog.pg_input_is_valid(${column}::pg_catalog.text, '${to.replaceAll("'", "''")}')`;
  const canSelect = isPlain && readsText(from, to) && context.majorVersion >= 16;
  const values = columnsIn(context.live, table, wordsIn(expression)).map(quoteIdent);
  return refusal(statement, {
    obstacle: `of ${shown(table)} whose ${id.name} cannot be converted to ${to}`,
    asks: `SELECT pg_catalog.count(${expression}) FROM ${source}`,
    isConversion: true,
    ...(canSelect ? { lists: select(keys, source, `NOT ${isValid}`) } : trials({ keys, expression, values, source })),
    advice: "Correct them, or add a new column, fill it in, and drop the old one in a later update.",
  });
}

/** Values that fit in but come out as others: cut texts, rounded numbers, times without their time of day. */
function lossQuestions(
  statement: Statement,
  id: ColumnId,
  { from, to, expression, source }: Conversion,
  context: QuestionContext,
): RowQuestion[] {
  const table = tableIn(id);
  const column = quoteIdent(id.name);
  const condition = lossCondition(column, from, to, expression);
  // What a user says of the new values need not lead back.
  if (condition === undefined || context.conversions?.has(encodeId(id))) return [];
  return [
    refusal(statement, {
      effect: "changed",
      obstacle: `of ${shown(table)} whose ${id.name} loses a part of its value in ${to}`,
      asks: select(listedBy(table, context), source, condition),
      advice: "Check them before you approve the change.",
    }),
  ];
}

/** Types between which a value can be converted there and back; so can lists of them. */
const MEASURED =
  /^(?:smallint|integer|bigint|numeric|real|double precision|money|boolean|timestamp|time|date|interval|bit|inet|cidr)\b[^[]*$/;
const TEXTS = /^(?:text|name|character(?: varying)?(?:\(\d+\))?)$/;

const isPadded = (type: string): boolean => /^character(?:\(|$)/.test(type);

/** Whether an object in a JSON value, however deep, has a key twice: `jsonb` keeps the last value. */
const hasEqualKeys = (column: string): string => `EXISTS (
  WITH RECURSIVE node AS (SELECT ${column} AS value UNION ALL SELECT inner_value.value FROM node, LATERAL (
    SELECT value FROM pg_catalog.json_each(CASE pg_catalog.json_typeof(node.value) WHEN 'object' THEN node.value END)
    UNION ALL SELECT value FROM pg_catalog.json_array_elements(CASE pg_catalog.json_typeof(node.value) WHEN 'array' THEN node.value END)) AS inner_value)
  SELECT FROM node WHERE pg_catalog.json_typeof(node.value) = 'object'
    AND (SELECT pg_catalog.count(*) > pg_catalog.count(DISTINCT key) FROM pg_catalog.json_object_keys(node.value) AS key))`;

function lossCondition(column: string, from: string, to: string, expression: string): string | undefined {
  const [, limit] = /^character(?: varying)?\((\d+)\)$/.exec(to) ?? [];
  if (limit !== undefined) {
    const isCut = `pg_catalog.char_length(${column}::pg_catalog.text) > ${limit}`;
    // Blanks at the end of one that is padded with them do not count.
    return isPadded(to) && !isPadded(from) ? `${isCut} OR ${column}::pg_catalog.text LIKE '% '` : isCut;
  }
  // A date is left out, and no cast leads back.
  if (from.startsWith("timestamp") && /^time\b/.test(to)) return `${column} IS NOT NULL`;
  if (from === "json" && to === "jsonb") return hasEqualKeys(column);
  const [element, other] = [from.replace(/\[\]$/, ""), to.replace(/\[\]$/, "")];
  const isList = isArray(from) && isArray(to);
  const isMeasured = MEASURED.test(element) && MEASURED.test(other);
  const isCut = TEXTS.test(element) && TEXTS.test(other) && (isList || to === "name");
  return isArray(from) === isArray(to) && (isMeasured || isCut) ? `(${expression})::${from} <> ${column}` : undefined;
}
