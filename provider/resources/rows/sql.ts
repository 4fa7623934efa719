// The statements about a set of rows. The set itself is in a temporary table of the transaction,
// `pgstrata_set`, with its values in the types of the columns; the database compares.
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import type { Column } from "../row/columns.ts";
import type { ForeignKey } from "../row/dependents.ts";
import type { TableName } from "../row/identity.ts";
import type { SetColumn, SetLayout } from "./layout.ts";

export const SET = "pg_temp.pgstrata_set";
/** Keys of rows that the resource made, as the state knows them. */
const MADE = "pg_temp.pgstrata_made";
/** Keys of rows that this update makes. */
const NEW = "pg_temp.pgstrata_new";

export const staged = ({ place }: Pick<SetColumn, "place">): string => `pgstrata_s.pgstrata_${place}`;
export const targetOf = ({ schema, name }: TableName): string => quoteQualified(schema, name);
/** Within a statement the table keeps its own name, as an expression of `compareWith` may use it. */
const fieldOf = (relation: string, name: string): string => `${relation}.${quoteIdent(name)}`;
export const nameOf = ({ table }: SetLayout): string => quoteIdent(table.name);

/** A secret that is compared in another form is staged as that form, and cast when it is written. */
const stagedType = ({ column, expression }: SetColumn): string =>
  expression === undefined ? column.type : "pg_catalog.text";

export function createSet({ columns }: SetLayout): string {
  const own = columns.map((column) => `pgstrata_${column.place} ${stagedType(column)}`);
  return (
    `CREATE TEMPORARY TABLE ${SET} (${["pgstrata_n bigint", "pgstrata_place bigint", "pgstrata_open boolean", ...own].join(", ")}) ` +
    "ON COMMIT DROP"
  );
}

export const ANALYZE_SET = `ANALYZE ${SET}`;

/**
 * Takes arrays as parameters: numbers, places, whether a value is not known yet, and one of texts for each
 * column.
 */
export function fillSet({ columns }: SetLayout): string {
  const casts = columns.map((column, n) => `f${n}::${stagedType(column)}`);
  const texts = columns.map((_column, n) => `$${n + 4}::pg_catalog.text[]`).join(", ");
  const names = ["n", "place", "open", ...columns.map((_column, n) => `f${n}`)];
  return `INSERT INTO ${SET} SELECT ${["n", "place", "open", ...casts].join(", ")} FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.int8[], $3::pg_catalog.bool[], ${texts}) AS u (${names.join(", ")})`;
}

/** Fails as the value would in `fillSet`. */
export const castOf = (column: SetColumn): string => `SELECT $1::pg_catalog.text::${stagedType(column)}`;

/** Returns places of rows with one key, in order, for the first few keys that more than one row has. */
export function duplicatesInSet({ key }: SetLayout): string {
  const columns = key.map((column) => comparable(staged(column), column.column)).join(", ");
  return (
    `SELECT pg_catalog.array_agg(pgstrata_place::int ORDER BY pgstrata_n) AS places FROM ${SET} AS pgstrata_s ` +
    `GROUP BY ${columns} HAVING pg_catalog.count(*) > 1 ORDER BY pg_catalog.min(pgstrata_n) LIMIT 5`
  );
}

function comparable(value: string, { compareAs }: Pick<Column, "compareAs">): string {
  return compareAs === undefined ? value : `${value}::pg_catalog.${compareAs}`;
}

export const equals = (left: string, right: string, column: Column): string =>
  `${comparable(left, column)} ${column.equality} ${comparable(right, column)}`;

/** Plain equality, so that rows are hashed or an index is used; a key of the set holds no null. */
export function keysEqual(layout: SetLayout, relation: string): string {
  return layout.key.map((key) => equals(fieldOf(relation, key.name), staged(key), key.column)).join(" AND ");
}

export function matches(layout: SetLayout, held: SetColumn): string {
  if (held.expression !== undefined)
    return `(((${held.expression})::pg_catalog.text operator(pg_catalog.=) ${staged(held)}) IS TRUE OR (${held.expression}) IS NULL AND ${staged(held)} IS NULL)`;
  const field = fieldOf(nameOf(layout), held.name);
  return `((${equals(field, staged(held), held.column)}) IS TRUE OR ${field} IS NULL AND ${staged(held)} IS NULL)`;
}

/** Both tables side by side: each row of the set, `found` where the table has its key, `m` what matches. */
function compared(layout: SetLayout, isSkipped: (column: SetColumn) => boolean): string {
  const fields = layout.held.map((held) => (isSkipped(held) ? "false" : matches(layout, held)));
  return (
    `SELECT pgstrata_s.pgstrata_n AS n, pgstrata_found IS TRUE AS found, ${textsOf(layout.key.map(staged))} AS key, ` +
    `CASE WHEN pgstrata_found THEN ARRAY[${fields.join(", ")}]::pg_catalog.bool[] END AS m, pgstrata_s.pgstrata_open AS open ` +
    `FROM ${SET} AS pgstrata_s LEFT JOIN (SELECT *, true AS pgstrata_found FROM ${targetOf(layout.table)}) AS ${nameOf(layout)} ON ${keysEqual(layout, nameOf(layout))}`
  );
}

export const textsOf = (values: readonly string[]): string =>
  `ARRAY[${values.map((value) => `${value}::pg_catalog.text`).join(", ")}]`;

const DIFFERS = "found AND (open OR false = ANY (m))";

export interface Tally {
  total: number;
  added: number;
  changed: number;
  /** By held column: rows in which it differs. */
  differing: number[];
}

/** Returns one {@link Tally}; `total` is more than the set has where a key finds more than one row. */
export function tally(layout: SetLayout, isSkipped: (column: SetColumn) => boolean): string {
  const differing = layout.held.map((_held, n) => `pg_catalog.count(*) FILTER (WHERE NOT m[${n + 1}])::int`);
  return (
    "SELECT pg_catalog.count(*)::int AS total, pg_catalog.count(*) FILTER (WHERE NOT found)::int AS added, " +
    `pg_catalog.count(*) FILTER (WHERE ${DIFFERS})::int AS changed, ARRAY[${differing.join(", ")}]::pg_catalog.int4[] AS differing ` +
    `FROM (${compared(layout, isSkipped)}) AS c`
  );
}

export interface FirstRow {
  key: string[];
  /** By held column; null where the row is missing. */
  m: boolean[] | null;
  open: boolean;
}

/** Returns the first rows to be added or changed, in the order of the set. */
export function firstRows(
  layout: SetLayout,
  which: "added" | "changed",
  limit: number,
  isSkipped: (column: SetColumn) => boolean,
): string {
  const condition = which === "added" ? "NOT found" : DIFFERS;
  return `SELECT key, m, open FROM (${compared(layout, isSkipped)}) AS c WHERE ${condition} ORDER BY n LIMIT ${limit}`;
}

/** Returns the keys that more than one row of the table has. */
export function duplicatesInTable(layout: SetLayout): string {
  const all = compared(layout, () => true);
  return `SELECT pg_catalog.min(key) AS key FROM (${all}) AS c WHERE found GROUP BY n HAVING pg_catalog.count(*) > 1 ORDER BY n LIMIT 5`;
}

/** True for a row of the table that the set does not have. */
export const isNotInSet = (layout: SetLayout, relation: string): string =>
  `NOT EXISTS (SELECT FROM ${SET} AS pgstrata_s WHERE ${keysEqual(layout, relation)})`;

export const countSurplus = (layout: SetLayout): string =>
  `SELECT pg_catalog.count(*)::int AS count FROM ${targetOf(layout.table)} WHERE ${isNotInSet(layout, nameOf(layout))}`;

export function firstSurplus(layout: SetLayout, limit: number): string {
  const fields = layout.key.map(({ name }) => fieldOf(nameOf(layout), name));
  const order = layout.key.map(({ column }, n) => comparable(fields[n] ?? "", column)).join(", ");
  return (
    `SELECT ${textsOf(fields)} AS key FROM ${targetOf(layout.table)} ` +
    `WHERE ${isNotInSet(layout, nameOf(layout))} ORDER BY ${order} LIMIT ${limit}`
  );
}

export const lockSurplus = (layout: SetLayout): string =>
  `SELECT FROM ${targetOf(layout.table)} WHERE ${isNotInSet(layout, nameOf(layout))} FOR UPDATE`;

/** A value as it is given to the column, which makes its own type of it, with a length. */
export const typed = (column: SetColumn): string => `${staged(column)}::${column.column.type}`;

/** What {@link writeSet} writes. */
export interface Writing {
  /** Held columns that differ in some row. */
  changing: readonly SetColumn[];
  /** Deletes what the set does not have. */
  isExclusive: boolean;
  /** Takes secrets as differing. */
  isSkipped: (column: SetColumn) => boolean;
  /** Of the numbers of the set's rows; without it all. */
  range?: { from: number; to: number };
}

/**
 * Deletes, updates and inserts in one statement, in this order: a new row may take a unique value that an old
 * one has, and a row may refer to another one of the set before or after it. A value that matches is set to
 * itself, so that a secret is not encrypted again. Returns one row with the numbers of rows.
 */
export function writeSet(layout: SetLayout, { changing, isExclusive, isSkipped, range }: Writing): string {
  const target = targetOf(layout.table);
  const within =
    range === undefined ? "" : ` AND pgstrata_s.pgstrata_n >= ${range.from} AND pgstrata_s.pgstrata_n < ${range.to}`;
  const keys = keysEqual(layout, nameOf(layout));
  const isSame = (held: SetColumn): string => (isSkipped(held) ? "false" : matches(layout, held));
  const assignments = changing.map(
    (held) =>
      `${quoteIdent(held.name)} = CASE WHEN ${isSame(held)} THEN ${fieldOf(nameOf(layout), held.name)} ELSE ${typed(held)} END`,
  );
  const deletes = isExclusive
    ? `DELETE FROM ${target} WHERE ${isNotInSet(layout, nameOf(layout))} RETURNING 1 AS one`
    : "SELECT 1 AS one WHERE false";
  const updates =
    assignments.length > 0
      ? `UPDATE ${target} SET ${assignments.join(", ")} FROM ${SET} AS pgstrata_s WHERE ${keys}${within} AND NOT (${changing.map(isSame).join(" AND ")})`
      : "SELECT 1 AS one WHERE false";
  const names = layout.columns.map(({ name }) => quoteIdent(name)).join(", ");
  const overriding = layout.columns.some(({ column }) => column.generated === "identity")
    ? " OVERRIDING SYSTEM VALUE"
    : "";
  const returned = layout.key.map(({ name }, n) => `${fieldOf(nameOf(layout), name)} AS k${n}`).join(", ");
  // Each part asks for the number of rows of the one before, and so runs after it.
  return `
    WITH gone AS (${deletes}),
    changed AS (${updates} AND (SELECT pg_catalog.count(*) FROM gone) >= 0 ${assignments.length > 0 ? "RETURNING 1 AS one" : ""}),
    made AS (
      INSERT INTO ${target} (${names})${overriding} SELECT ${layout.columns.map(typed).join(", ")} FROM ${SET} AS pgstrata_s
      WHERE NOT EXISTS (SELECT FROM ${target} WHERE ${keys})${within}
        AND (SELECT pg_catalog.count(*) FROM gone) + (SELECT pg_catalog.count(*) FROM changed) >= 0
      ORDER BY pgstrata_s.pgstrata_n RETURNING ${returned}),
    noted AS (INSERT INTO ${NEW} SELECT ${layout.key.map((_key, n) => `k${n}`).join(", ")} FROM made)
    SELECT (SELECT pg_catalog.count(*) FROM gone)::int AS deleted, (SELECT pg_catalog.count(*) FROM changed)::int AS changed,
      (SELECT pg_catalog.count(*) FROM made)::int AS added`;
}

type Keys = readonly Pick<SetColumn, "name" | "column">[];

const createKeys = (table: string, key: Keys): string =>
  `CREATE TEMPORARY TABLE ${table} (${key.map(({ column }, n) => `k${n} ${column.type}`).join(", ")}) ON COMMIT DROP`;

export const createMade = (key: Keys): string => createKeys(MADE, key);
export const createNew = (key: Keys): string => createKeys(NEW, key);

/** Takes one array of texts for each column of the key. */
export function fillMade(key: Keys): string {
  const lists = key.map((_key, n) => `$${n + 1}::pg_catalog.text[]`);
  const casts = key.map(({ column }, n) => `f${n}::${column.type}`);
  const names = key.map((_key, n) => `f${n}`);
  // An array more, as of one alone `unnest` is a function like others.
  return `INSERT INTO ${MADE} SELECT ${casts.join(", ")} FROM unnest(${lists.join(", ")}, $1::pg_catalog.text[]) AS u (${names.join(", ")}, f)`;
}

const isIn = (keys: string, key: Keys, relation: string): string =>
  `EXISTS (SELECT FROM ${keys} AS pgstrata_k WHERE ${key.map(({ name, column }, n) => equals(fieldOf(relation, name), `pgstrata_k.k${n}`, column)).join(" AND ")})`;

/** True for a row of the table that the resource made. */
export const isMade = (key: Keys, relation: string): string => isIn(MADE, key, relation);

/**
 * Returns the keys of all rows that the resource made and the table has, through a cursor.
 *
 * @param earlier the key that the state knows them by.
 */
export function declareMade(table: TableName, key: Keys, earlier: Keys | undefined): string {
  const relation = quoteIdent(table.name);
  const fields = textsOf(key.map(({ name }) => fieldOf(relation, name)));
  const rows = [isIn(NEW, key, relation), ...(earlier === undefined ? [] : [isMade(earlier, relation)])].map(
    (condition) => `SELECT ${fields} AS key FROM ${targetOf(table)} WHERE ${condition}`,
  );
  return `DECLARE pgstrata_keys NO SCROLL CURSOR FOR ${rows.join(" UNION ")} ORDER BY key`;
}

export const FETCH_MADE = "FETCH 5000 FROM pgstrata_keys";

export const lockMade = (table: TableName, key: Keys): string =>
  `SELECT FROM ${targetOf(table)} WHERE ${isMade(key, quoteIdent(table.name))} FOR UPDATE`;

export const deleteMade = (table: TableName, key: Keys): string =>
  `DELETE FROM ${targetOf(table)} WHERE ${isMade(key, quoteIdent(table.name))}`;

/** Returns a row where a unique index on columns of the key alone holds for all rows; takes table and key. */
export const UNIQUE_KEY = `
  SELECT c.relkind::pg_catalog.text AS kind, EXISTS (
    SELECT FROM pg_catalog.pg_index i
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      AND NOT EXISTS (
        SELECT FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k (num, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num
        WHERE k.place <= i.indnkeyatts AND NOT a.attname = ANY ($3::pg_catalog.name[]))) AS "isUnique"
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2`;

/** Returns place, key and the texts of all columns of one row of the set, for a message; takes its number. */
export const rowOfSet = ({ key, columns }: SetLayout): string =>
  `SELECT pgstrata_place::int AS place, ${textsOf(key.map(staged))} AS key, ${textsOf(columns.map(staged))} AS texts FROM ${SET} AS pgstrata_s WHERE pgstrata_n = $1`;

/**
 * Returns how many rows of the set the resource has made, in this update or before.
 *
 * @param earlier the key that the state knows the latter by.
 */
export function countMade(layout: SetLayout, earlier: Keys | undefined): string {
  const relation = nameOf(layout);
  const rows = [isIn(NEW, layout.key, relation), ...(earlier === undefined ? [] : [isMade(earlier, relation)])].map(
    (condition) =>
      `SELECT pgstrata_n FROM ${SET} AS pgstrata_s JOIN ${targetOf(layout.table)} ON ${keysEqual(layout, relation)} WHERE ${condition}`,
  );
  return `SELECT pg_catalog.count(*)::int AS count FROM (${rows.join(" UNION ")}) AS m`;
}

/**
 * Returns places of the first rows of the set that would refer to a row which is not there, and how many
 * there are. A row that refers to it already is none of them: it is not written, or its foreign key is not
 * valid.
 *
 * @param isDeleting rows of the table that the set does not have go before.
 */
export function withoutReferenced(layout: SetLayout, foreignKey: ForeignKey, isDeleting: boolean): string {
  const pairs = foreignKey.columns.map((name, n) => ({
    from: layout.columns.find((column) => column.name === name),
    to: foreignKey.referenced[n] ?? "",
    equality: foreignKey.equalities[n] ?? "",
  }));
  const columns = pairs.flatMap(({ from }) => from ?? []);
  // Of a column that the set does not have, each new row has the default: nothing can be told.
  if (columns.length < pairs.length) return "SELECT 0 AS place, 0 AS count WHERE false";
  const value = (column: SetColumn | undefined): string => (column === undefined ? "NULL" : staged(column));
  const isThere = pairs.map(({ from, to, equality }) => `${fieldOf("r", to)} ${equality} ${value(from)}`);
  const isInSet = pairs.map(({ from, to, equality }) => {
    const own = layout.columns.find(({ name }) => name === to);
    return own === undefined ? "false" : `o.pgstrata_${own.place} ${equality} ${value(from)}`;
  });
  const { schema, name } = layout.table;
  const isOwn = foreignKey.target.schema === schema && foreignKey.target.name === name;
  if (isOwn && isDeleting) isThere.push(`NOT ${isNotInSet(layout, "r")}`);
  const alsoInSet = isOwn
    ? `AND NOT EXISTS (SELECT FROM ${SET} AS o WHERE o.pgstrata_open OR ${isInSet.join(" AND ")})`
    : "";
  const stays = columns.filter(({ role }) => role === "held").map((column) => matches(layout, column));
  return `
    SELECT pgstrata_place::int AS place, pg_catalog.count(*) OVER ()::int AS count FROM ${SET} AS pgstrata_s
    WHERE NOT pgstrata_open AND ${columns.map((column) => `${staged(column)} IS NOT NULL`).join(" AND ")}
      AND NOT EXISTS (SELECT FROM ${targetOf(foreignKey.target)} AS r WHERE ${isThere.join(" AND ")}) ${alsoInSet}
      AND NOT EXISTS (SELECT FROM ${targetOf(layout.table)} WHERE ${[keysEqual(layout, nameOf(layout)), ...stays].join(" AND ")})
    ORDER BY pgstrata_n LIMIT 5`;
}
