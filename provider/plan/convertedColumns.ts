/** Statements that give columns their values by a layer's conversions, and whether the server takes them. */
import type { ClientBase, Pool } from "pg";
import { parentsOf } from "../catalog/inheritance.ts";
import { describe } from "../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";
import { rowsBehind, type TableSizes, text } from "../catalog/tables.ts";
import { UserError } from "../core/errors.ts";
import { columnChange } from "./columnSteps.ts";
import { type Conversion, type Conversions, namesIn } from "./conversions.ts";
import type { Statement } from "./statement.ts";

/**
 * Statements with the conversions in place of casts. A new column that may be empty is filled in where it
 * comes; one that demands a value has a recipe for that, in batches, unless `online/valuesBefore.ts` puts it
 * before what changes the values that it reads.
 */
export function withConversions(
  statements: readonly Statement[],
  conversions: Conversions,
  desired: FactBase,
  sizes: TableSizes,
): Statement[] {
  return statements.flatMap((statement) => {
    const { id, op, sql } = statement;
    const conversion = id === undefined ? undefined : conversions.get(encodeId(id));
    if (id?.kind !== "column" || conversion === undefined) return [statement];
    const cast = castOf(sql);
    if (cast !== undefined) return [{ ...statement, sql: `${sql.slice(0, -cast.length)}(${conversion.expression})` }];
    const isFilledHere =
      op === "create" && rowsBehind(id, sizes, desired) > 0 && desired.get(id)?.payload.notNull !== true;
    return isFilledHere ? filledIn(statement, id, conversion, desired) : [statement];
  });
}

/** What follows USING in a change of a column's type. */
export function castOf(sql: string): string | undefined {
  const change = columnChange(sql)?.change ?? "";
  const at = change.startsWith("TYPE ") ? change.indexOf(" USING ") : -1;
  return at === -1 ? undefined : change.slice(at + " USING ".length);
}

/**
 * A column that comes and is filled in, all in the transaction; unchanged where the statement is none that
 * the planner writes for such a column.
 */
export function filledIn(
  statement: Statement,
  id: ColumnId,
  { expression }: Conversion,
  desired: FactBase,
): Statement[] {
  const byDefault = text(desired.get({ kind: "default", schema: id.schema, table: id.table, name: id.name }), "expr");
  const isRequired = desired.get(id)?.payload.notNull === true;
  const setDefault = byDefault === "" ? "" : ` DEFAULT ${byDefault}`;
  const tail = `${isRequired ? " NOT NULL" : ""}${setDefault}`;
  if (!statement.sql.endsWith(tail)) return [statement];
  const table = quoteQualified(id.schema, id.table);
  const column = quoteIdent(id.name);
  const change: Statement = { ...statement, op: "update", lock: "ACCESS EXCLUSIVE", rewrites: false, work: "catalog" };
  return [
    { ...statement, sql: tail === "" ? statement.sql : statement.sql.slice(0, -tail.length), rewrites: false },
    { ...change, sql: `UPDATE ${table} SET ${column} = (${expression})`, rewrites: true, work: "rows" },
    ...(setDefault === "" ? [] : [{ ...change, sql: `ALTER TABLE ${table} ALTER COLUMN ${column} SET${setDefault}` }]),
    ...(isRequired
      ? [
          {
            ...change,
            sql: `ALTER TABLE ${table} ALTER COLUMN ${column} SET NOT NULL`,
            work: "rows" as const,
            isAtOnce: true,
          },
        ]
      : []),
  ];
}

/** Drops of columns that a conversion of the list reads: it comes before them. */
export function dropsBehindConversions(statements: readonly Statement[], conversions: Conversions): Set<Statement> {
  const read = statements.flatMap(({ id, op }) => {
    const conversion = id?.kind !== "column" || op === "delete" ? undefined : conversions.get(encodeId(id));
    return id?.kind === "column" && conversion !== undefined ? [{ id, names: namesIn(conversion) }] : [];
  });
  const isRead = ({ id, op }: Statement): boolean =>
    op === "delete" &&
    id?.kind === "column" &&
    read.some(({ id: other, names }) => other.schema === id.schema && other.table === id.table && names.has(id.name));
  return new Set(statements.filter(isRead));
}

/** The table is one that may not be read, or that a layer below is to make: nothing can be asked. */
const CANNOT_ASK = new Set(["42501", "42P01"]);

/**
 * Of names that the same plan may make, or in a preview one of a layer below it: of types and functions and
 * of their schemas.
 */
const UNDEFINED_OBJECT = new Set(["42704", "42883", "3F000"]);

/** Kinds of objects that an expression may name, or whose names its names begin with. */
const NAMED_IN_EXPRESSIONS = new Set([
  "aggregate",
  "collation",
  "domain",
  "extension",
  "extensionIntent",
  "function",
  "schema",
  "type",
]);

/**
 * Refuses a change of type that the server has no cast for, and a conversion that it does not understand.
 * What may stand on something that comes with the plan is left to the update.
 *
 * @throws {UserError} that says where the conversion is, or how to give one.
 */
export async function refuseWithoutCast(
  client: ClientBase | Pool,
  statements: readonly Statement[],
  conversions: Conversions,
  { live, desired, nameNow, isRenaming, isProjected }: Names,
): Promise<void> {
  const makesNames =
    isRenaming ||
    isProjected ||
    statements.some(({ op, id }) => op === "create" && id !== undefined && NAMED_IN_EXPRESSIONS.has(id.kind));
  for (const { id, sql, op } of statements) {
    if (id?.kind !== "column" || op === "delete" || !live.has({ kind: "table", schema: id.schema, name: id.table }))
      continue;
    const conversion = conversions.get(encodeId(id));
    const cast = castOf(sql);
    const value = cast !== undefined || op === "create" ? (conversion?.expression ?? cast) : undefined;
    const source = value === undefined ? undefined : newlyNamed({ schema: id.schema, name: id.table }, live, nameNow);
    if (source === undefined) continue;
    const refusal = await refusalOf(client, `SELECT (${value}) FROM ${source} WHERE false`);
    if (refusal === undefined || CANNOT_ASK.has(refusal.code) || (makesNames && UNDEFINED_OBJECT.has(refusal.code)))
      continue;
    if (conversion !== undefined)
      throw new UserError(
        "PS113",
        `${conversion.place}: found the conversion "${conversion.expression}" of ${describe(id)}, which the server refuses: ${refusal.message}. Expected an expression of the columns as they are in the database${isRenaming ? "; of one that is renamed, write the new name" : ""}. Nothing was changed.`,
      );
    if (refusal.code === "42846") throw withoutCast(id, text(live.get(id), "type"), text(desired.get(id), "type"));
  }
}

interface Names {
  /** With the new names. */
  live: FactBase;
  desired: FactBase;
  /** What the database calls an object now. */
  nameNow: (id: StableId) => StableId;
  /** Renames are pending. */
  isRenaming: boolean;
  /** In a preview: layers planned before change the database. */
  isProjected: boolean;
}

/**
 * What stands after FROM for the table with its columns under their new names; undefined where they are not
 * all known, because a parent has them.
 */
function newlyNamed(
  table: { schema: string; name: string },
  live: FactBase,
  nameNow: Names["nameNow"],
): string | undefined {
  const id: StableId = { kind: "table", ...table };
  const now = nameNow(id);
  const columns = live.childrenOf(id).flatMap(({ id: column }) => {
    if (column.kind !== "column") return [];
    const old = nameNow(column);
    return [{ name: column.name, old: old.kind === "column" ? old.name : column.name }];
  });
  if (now.kind !== "table") return undefined;
  const from = quoteQualified(now.schema, now.name);
  if (now.name === table.name && columns.every(({ name, old }) => name === old)) return from;
  if (parentsOf(live.get(id)).length > 0) return undefined;
  const named = columns.map(({ name, old }) => `${quoteIdent(old)} AS ${quoteIdent(name)}`);
  return `(SELECT ${["ctid", "tableoid", ...named].join(", ")} FROM ${from}) AS ${quoteIdent(table.name)}`;
}

type ColumnId = StableId & { schema: string; table: string; name: string };

const withoutCast = (id: ColumnId, from: string, to: string): UserError =>
  new UserError(
    "PS113",
    `Found ${describe(id)} changed from ${from} to ${to}, for which the server has no cast. ${howToConvert(id)}`,
  );

/** What to do about a column between whose types there is no cast. */
export const howToConvert = (id: ColumnId): string =>
  [
    "Expected an expression that converts its values.",
    "Write above the column's line in the layer's files, or at its end:",
    "  -- converted by: <expression of the columns as they were>",
    "or give the layer the input",
    `  conversions: { ${JSON.stringify([id.schema, id.table, id.name].join("."))}: "<expression>" }`,
    "Nothing was changed.",
  ].join("\n");

/** SQLSTATEs of what a query says: names, schemas, and constants that are no values of their types. */
const OF_QUERY = /^(22|3F|42)/;

/** What the server says against a query, where it says anything. */
async function refusalOf(
  client: ClientBase | Pool,
  sql: string,
): Promise<{ code: string; message: string } | undefined> {
  try {
    // With a name for its plan it is one statement, whatever an expression says.
    await client.query({ text: sql, values: [] });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") throw error;
    if (!OF_QUERY.test(error.code)) throw error;
    return { code: error.code, message: error.message };
  }
}
