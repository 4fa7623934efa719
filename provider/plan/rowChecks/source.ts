/**
 * Where a question finds its rows: the tables of the database as they are named now, with the columns as the
 * plan will have named, converted, computed or defaulted them. Questions themselves know the new names only.
 */
import { isPartitioned, parentOf } from "../../catalog/partitions.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { type TableId, type TableSizes, text } from "../../catalog/tables.ts";
import { unmarked } from "../../catalog/virtualColumns.ts";
import { type Conversions, namesIn } from "../conversions.ts";
import { nameParts } from "../renames/sqlTokens.ts";
import type { Statement } from "../statement.ts";
import { isVolatileDefault } from "../volatileDefault.ts";
import { bracketed, wordsIn } from "./definitions.ts";

/** What questions are made from. */
export interface QuestionContext {
  /** With the new names. */
  live: FactBase;
  desired: FactBase;
  sizes: TableSizes;
  /** What the database calls an object now. */
  nameNow: (id: StableId) => StableId;
  /** As planned, before recipes. */
  statements: readonly Statement[];
  majorVersion: number;
  /** How columns get their values, where a layer says it. */
  conversions?: Conversions;
  /** Encoded ids of new partitions that take rows of the default one. */
  displacing?: ReadonlySet<string>;
  /** Encoded ids of stored columns that are computed once more, because a function changes. */
  outdatedColumns?: ReadonlySet<string>;
  /** What holds in the database does so by functions that change, and proves nothing. */
  isOutdated?: boolean;
  /** Tables that stand alone by then, and are below a parent as long as the questions are asked. */
  parted?: readonly TableId[];
}

/** What a new column, or an empty one that is to hold a value, is filled in with. */
export function fillOf(id: ColumnName, { conversions }: QuestionContext): string | undefined {
  const conversion = conversions?.get(encodeId({ kind: "column", ...id }));
  return conversion === undefined || namesIn(conversion).has(id.name) ? undefined : conversion.expression;
}

interface ColumnName {
  schema: string;
  table: string;
  name: string;
}

export interface TableName {
  schema: string;
  name: string;
}

export const idOf = ({ schema, name }: TableName): StableId => ({ kind: "table", schema, name });

const columnId = ({ schema, name: table }: TableName, name: string): StableId => ({
  kind: "column",
  schema,
  table,
  name,
});

/**
 * Whether the database may have rows of the table that the server would look at; a new or empty one has none.
 * It does not look at rows of foreign tables, and a question to a table that has some would.
 */
export const mayHaveRows = (table: TableName, { live, sizes }: QuestionContext): boolean =>
  live.has(idOf(table)) && sizes.get(encodeId(idOf(table)))?.rows !== 0 && !hasForeignPart(idOf(table), live);

const hasForeignPart = (table: StableId, live: FactBase): boolean =>
  live
    .incomingEdges(table)
    .some(({ from }) => from.kind === "foreignTable" || (from.kind === "table" && hasForeignPart(from, live)));

/** The table as it is written in a message. */
export const shown = ({ schema, name }: TableName): string => `${schema}.${name}`;

export interface SourceOptions {
  /** SQL whose columns are needed. */
  uses: readonly string[];
  /** Before the statements of the plan, with nothing but its names; else after all of them. */
  isBefore?: boolean;
  /** Without the tables that inherit from it. */
  isOnly?: boolean;
  alias?: string;
}

/**
 * What stands after FROM.
 *
 * @returns undefined where the plan gives a needed column values that cannot be known before.
 */
export function sourceOf(
  table: TableName,
  { uses, isBefore = false, isOnly = false, alias }: SourceOptions,
  context: QuestionContext,
): string | undefined {
  const { live, nameNow } = context;
  const now = nameNow(idOf(table));
  if (now.kind !== "table") return undefined;
  const isInherited = isOnly && !isPartitioned(idOf(table), live) && hasHeirs(table, context);
  const from = `${isInherited ? "ONLY " : ""}${quoteQualified(now.schema, now.name)}`;
  const named = ` AS ${quoteIdent(alias ?? table.name)}`;
  const words = new Set([...uses.flatMap((sql) => [...wordsIn(sql)]), ...keyColumns(table, context)]);
  const computed = isBefore ? [] : computedColumns(table, words, context);
  for (const { value } of computed) for (const word of wordsIn(value)) words.add(word);
  const converted = isBefore ? [] : convertedColumns(table, words, context);
  const added = isBefore ? [] : addedColumns(table, words, context);
  if (added === undefined) return undefined;

  const computedNames = new Set(computed.map(({ name }) => name));
  const present = columnsIn(live, table, words).filter((name) => !computedNames.has(name));
  const current = present.map((name): NewColumn => {
    const id = nameNow(columnId(table, name));
    return { name, value: quoteIdent("name" in id ? id.name : name) };
  });
  const isRenamed = current.some(({ name, value }) => value !== quoteIdent(name));
  const changed = [...converted, ...added];
  const isNamed = alias === undefined && now.name === table.name;
  if (!isRenamed && changed.length + computed.length === 0) return isNamed ? from : `${from}${named}`;
  const select = (columns: readonly string[], source: string): string =>
    `(SELECT ${["ctid", "tableoid", ...columns].join(", ")} FROM ${source})${named}`;
  const replaced = new Set(changed.map(({ name }) => name));
  const kept = present.filter((name) => !replaced.has(name)).map(quoteIdent);
  const renamed = isRenamed ? select(current.map(written), from) : from;
  const values = changed.length === 0 ? renamed : select([...kept, ...changed.map(written)], renamed);
  if (computed.length === 0) return values;
  const all = new Set([...present, ...replaced]);
  return select([...[...all].map(quoteIdent), ...computed.map(written)], values);
}

/** A column with the SQL of its value. */
interface NewColumn {
  name: string;
  value: string;
}

const written = ({ name, value }: NewColumn): string =>
  value === quoteIdent(name) ? value : `${value} AS ${quoteIdent(name)}`;

/** Columns of a table whose names are among the words. */
export function columnsIn(side: FactBase, table: TableName, words: ReadonlySet<string>): string[] {
  return side
    .childrenOf(idOf(table))
    .flatMap(({ id }) => (id.kind === "column" && words.has(id.name) ? [id.name] : []));
}

/** The expression by which a statement converts a column. */
export function conversionIn({ id, sql }: Statement): string | undefined {
  if (id?.kind !== "column") return undefined;
  const head = `ALTER TABLE ${quoteQualified(id.schema, id.table)} ALTER COLUMN ${quoteIdent(id.name)} `;
  return sql.startsWith(head) ? /^(?:SET DATA )?TYPE .+? USING (.+)$/s.exec(sql.slice(head.length))?.[1] : undefined;
}

/** The same for a column that has another type after the plan. */
export function conversionOf(id: StableId, { live, desired, statements }: QuestionContext): string | undefined {
  if (!desired.has(id) || text(live.get(id), "type") === text(desired.get(id), "type")) return undefined;
  const key = encodeId(id);
  return statements
    .filter((statement) => statement.id !== undefined && encodeId(statement.id) === key)
    .flatMap((statement) => conversionIn(statement) ?? [])
    .at(-1);
}

function convertedColumns(table: TableName, words: ReadonlySet<string>, context: QuestionContext): NewColumn[] {
  return columnsIn(context.live, table, words).flatMap((name) => {
    const id = columnId(table, name);
    const value = conversionOf(id, context);
    const collation = newCollation(context.live.get(id), context.desired.get(id));
    if (value === undefined && collation === undefined) return [];
    const type = text(context.desired.get(id), "type");
    const label = `${quoteIdent(name)}::pg_catalog.text${type.replace(/^[^[]*/, "")}`;
    if (value !== undefined && isNewEnum(type, context) && value.startsWith(`${label}::`))
      return [{ name, value: label }];
    const collated = collation === undefined ? "" : ` COLLATE ${collation}`;
    return [{ name, value: `(${value ?? quoteIdent(name)})${collated}` }];
  });
}

/** The values of an enum that comes with the plan have their labels as long as it is not there. */
function isNewEnum(type: string, { live, desired }: QuestionContext): boolean {
  const [schema = "", name = ""] = nameParts(type.replace(/(?:\[\])+$/, "")) ?? [];
  const id: StableId = { kind: "type", schema, name };
  return Array.isArray(desired.get(id)?.payload.values) && !live.has(id);
}

/** Undefined where it stays; one that is not said is that of the type. */
function newCollation(before: Fact | undefined, after: Fact | undefined): string | undefined {
  if (after === undefined || text(before, "collation") === text(after, "collation")) return undefined;
  const collation = text(after, "collation");
  if (collation !== "") return collation;
  return /^(?:text|character)\b/.test(text(after, "type")) ? 'pg_catalog."default"' : undefined;
}

/** Columns that come with the plan; undefined where each row gets another value. */
function addedColumns(table: TableName, words: ReadonlySet<string>, context: QuestionContext): NewColumn[] | undefined {
  const { live, desired } = context;
  const added: NewColumn[] = [];
  for (const name of columnsIn(desired, table, words)) {
    const { type, identity, generatedExpr } = desired.get(columnId(table, name))?.payload ?? {};
    if (live.has(columnId(table, name)) || generatedExpr) continue;
    const expression = text(desired.get({ kind: "default", schema: table.schema, table: table.name, name }), "expr");
    const fill = fillOf({ schema: table.schema, table: table.name, name }, context);
    if (identity || (fill === undefined && isVolatileDefault(expression || "NULL"))) return undefined;
    if (fill !== undefined) added.push({ name, value: `(${fill})` });
    else added.push({ name, value: `(${expression || "NULL"})::${String(type)}` });
  }
  return added;
}

/** Generated columns that come with the plan, get another expression, or are computed once more. */
function computedColumns(
  table: TableName,
  words: ReadonlySet<string>,
  { live, desired, outdatedColumns }: QuestionContext,
): NewColumn[] {
  return columnsIn(desired, table, words).flatMap((name) => {
    const id = columnId(table, name);
    const { generatedExpr, type } = desired.get(id)?.payload ?? {};
    const isAnother = text(live.get(id), "generatedExpr") !== generatedExpr;
    const isComputed = isAnother || outdatedColumns?.has(encodeId(id)) === true;
    return isComputed && typeof generatedExpr === "string"
      ? [{ name, value: `(${unmarked(generatedExpr)})::${String(type)}` }]
      : [];
  });
}

/** Columns of the primary key that the database has; a partition has that of its parent. */
function keyColumns(table: TableName, context: QuestionContext): string[] {
  const { live } = context;
  const key = live.childrenOf(idOf(table)).find(({ id, payload }) => id.kind === "constraint" && payload.type === "p");
  const parent = key === undefined ? parentOf(idOf(table), live) : undefined;
  if (parent !== undefined) return keyColumns(parent, context);
  const columns = key === undefined ? [] : (bracketed(text(key, "def"))?.items ?? []);
  const known = live.childrenOf(idOf(table)).flatMap(({ id }) =>
    id.kind === "column"
      ? [
          [id.name, id.name],
          [quoteIdent(id.name), id.name],
        ]
      : [],
  );
  const names = new Map(known.map(([printed = "", name = ""]) => [printed, name]));
  return columns.flatMap((column) => names.get(column.replace(/ WITHOUT OVERLAPS$/, "")) ?? []);
}

/** What a row is listed by: its primary key, or else where it lies. */
export function listedBy(table: TableName, context: QuestionContext): string[] {
  const columns = keyColumns(table, context).map(quoteIdent);
  if (columns.length > 0) return columns;
  const isInParts = isPartitioned(idOf(table), context.live) || hasHeirs(table, context);
  return isInParts ? ["tableoid::pg_catalog.regclass", "ctid"] : ["ctid"];
}

const hasHeirs = (table: TableName, { live }: QuestionContext): boolean =>
  live.incomingEdges(idOf(table)).some(({ from }) => from.kind === "table");
