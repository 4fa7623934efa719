/**
 * Which rows the database would delete or change along with a row. Whether that is refused is decided in
 * `delete.ts`.
 */
import type pg from "pg";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import type { TableName } from "./identity.ts";
import { Parameters } from "./sql.ts";

/** Rows of a table that are about to be deleted. */
export interface Going {
  table: TableName;
  /** True for such a row; `relation` is what names a row of the table, quoted. */
  condition(relation: string, parameters: Parameters): string;
  /** Whether the same update gives the remaining rows of the table their values in all of these columns. */
  writes?(columns: readonly string[]): boolean;
  /** Tables whose rows are not asked. */
  isLeftOut?(table: TableName): boolean;
}

/**
 * Rows of one table that refer to those that go by one foreign key, directly or through rows that would be
 * deleted with them.
 */
export interface Dependents {
  table: string;
  constraint: string;
  count: number;
  /** What the database would do with them. */
  onDelete: "cascade" | "set null" | "set default" | "restrict";
}

export interface ForeignKey {
  oid: string;
  schema: string;
  table: string;
  /** The table that it refers to. */
  target: TableName;
  constraint: string;
  action: string;
  columns: string[];
  referenced: string[];
  /** By column: the operator that the server itself compares with, referenced on the left. */
  equalities: string[];
}

const FOREIGN_KEYS = `
  SELECT k.oid::pg_catalog.text AS oid, n.nspname AS schema, c.relname AS "table",
         (SELECT pg_catalog.json_build_object('schema', s.nspname, 'name', t.relname) FROM pg_catalog.pg_class t
            JOIN pg_catalog.pg_namespace s ON s.oid = t.relnamespace WHERE t.oid = k.confrelid) AS target, k.conname AS constraint, k.confdeltype::pg_catalog.text AS action,
         ARRAY (SELECT a.attname::pg_catalog.text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u (num, place)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place) AS columns,
         ARRAY (SELECT a.attname::pg_catalog.text FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u (num, place)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place) AS referenced,
         ARRAY (SELECT pg_catalog.format('operator(%I.%s)', s.nspname, o.oprname) FROM pg_catalog.unnest(k.conpfeqop) WITH ORDINALITY AS u (oid, place)
                JOIN pg_catalog.pg_operator o ON o.oid = u.oid JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace ORDER BY u.place) AS equalities
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE k.contype = 'f'`;

/** Returns the foreign keys that refer to a table. */
const REFERRING = `${FOREIGN_KEYS} AND k.conparentid = 0 AND k.confrelid = $1::pg_catalog.regclass
  ORDER BY n.nspname, c.relname, k.conname`;

/**
 * Returns the foreign keys that a table's new rows are held to, as far as the rows they refer to can be
 * asked: not those of periods, whose columns are compared in another way, and not where the role sees less
 * than the server. Of a reference to a partitioned table the server keeps one more for each partition.
 */
const REFERENCES = `${FOREIGN_KEYS} AND n.nspname = $1 AND c.relname = $2
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint u WHERE u.oid = k.conparentid AND u.conrelid = k.conrelid)
  AND coalesce(pg_catalog.to_jsonb(k) ->> 'conenforced', 'true') = 'true' AND coalesce(pg_catalog.to_jsonb(k) ->> 'conperiod', 'false') = 'false'
  AND pg_catalog.has_table_privilege(k.confrelid, 'SELECT') AND NOT pg_catalog.row_security_active(k.confrelid)
  ORDER BY k.conname`;

/** The foreign keys that a table's new rows are held to. */
export async function foreignKeysOf(client: pg.ClientBase, { schema, name }: TableName): Promise<ForeignKey[]> {
  return (await client.query<ForeignKey>(REFERENCES, [schema, name])).rows;
}

const ACTIONS: Record<string, Dependents["onDelete"]> = { c: "cascade", n: "set null", d: "set default" };

/** A foreign key with the table that it refers to, quoted like its own. */
interface Reference extends ForeignKey {
  from: string;
  to: string;
}

/** All rows that a deletion would delete or change, or that forbid it, by foreign key, along all cascades. */
export async function findDependents(client: pg.ClientBase, going: Going): Promise<Dependents[]> {
  const references = await referencesTo(client, going);
  if (references.length === 0) return [];
  const parameters = new Parameters();
  const { rows } = await client.query<{ counts: number[] }>(
    countDependents(going, references, parameters),
    parameters.values,
  );
  return references.flatMap(({ schema, table, constraint, action }, n) => {
    const count = rows[0]?.counts[n] ?? 0;
    const onDelete = ACTIONS[action] ?? "restrict";
    return count === 0 ? [] : [{ table: `${schema}.${table}`, constraint, count, onDelete }];
  });
}

/** The foreign keys that may matter: those to the table, and those to each that a cascade leads to. */
async function referencesTo(client: pg.ClientBase, { table, writes, isLeftOut }: Going): Promise<Reference[]> {
  const target = quoteQualified(table.schema, table.name);
  const found = new Map<string, Reference>();
  async function follow(to: string): Promise<void> {
    const { rows } = await client.query<ForeignKey>(REFERRING, [to]);
    for (const key of rows) {
      const from = quoteQualified(key.schema, key.table);
      if (found.has(key.oid) || isLeftOut?.({ schema: key.schema, name: key.table })) continue;
      if (to === target && from === target && writes?.(key.columns)) continue;
      found.set(key.oid, { ...key, from, to });
      if (key.action === "c") await follow(from);
    }
  }
  await follow(target);
  return [...found.values()];
}

/** Rows by the place where the server keeps them: those of the start, all that go, those found last. */
const [START, GOING, LAST] = ["pgstrata_start", "pgstrata_going", "pgstrata_last"];

/**
 * Returns one row with a number for each reference. What goes is the start, and again and again what cascades
 * from a row that goes.
 */
function countDependents(
  { table, condition }: Going,
  references: readonly Reference[],
  parameters: Parameters,
): string {
  const target = quoteQualified(table.schema, table.name);
  const refers = ({ columns, referenced, equalities }: Reference): string =>
    columns
      .map((column, n) => `p.${quoteIdent(referenced[n] ?? "")} ${equalities[n]} d.${quoteIdent(column)}`)
      .join(" AND ");
  const isAt = (relation: string, place: string): string =>
    `${relation}.tableoid = ${place}.t AND ${relation}.ctid = ${place}.c`;
  const start = condition("g", parameters);
  const cascades = references
    .filter(({ action }) => action === "c")
    .map(
      (reference) =>
        `SELECT d.tableoid, d.ctid FROM ${LAST} AS l JOIN ${reference.to} AS p ON ${isAt("p", "l")} JOIN ${reference.from} AS d ON ${refers(reference)}`,
    );
  const next =
    cascades.length === 0 ? "" : ` UNION (WITH ${LAST} AS (SELECT t, c FROM ${GOING}) ${cascades.join(" UNION ALL ")})`;
  const counts = references.map((reference) => {
    // What goes itself hinders nothing, but where the server asks at once.
    const gone = reference.action === "c" || reference.action === "r" ? START : GOING;
    return (
      `(SELECT pg_catalog.count(*)::int FROM ${reference.from} AS d WHERE NOT EXISTS (SELECT FROM ${gone} AS f WHERE ${isAt("d", "f")}) ` +
      `AND EXISTS (SELECT FROM ${GOING} AS w JOIN ${reference.to} AS p ON ${isAt("p", "w")} WHERE ${refers(reference)}))`
    );
  });
  return (
    `WITH RECURSIVE ${START} (t, c) AS MATERIALIZED (SELECT g.tableoid, g.ctid FROM ${target} AS g WHERE ${start}), ` +
    `${GOING} (t, c) AS (SELECT t, c FROM ${START}${next}) SELECT ARRAY[${counts.join(", ")}] AS counts`
  );
}

/** The message that refuses a deletion: what is refused and why, a line for each foreign key, what to do. */
export function refusalOf(subject: string, dependents: readonly Dependents[], advice: string): string {
  const lines = dependents.map(({ table, constraint, count, onDelete }) => {
    const rows = count === 1 ? "1 row" : `${count} rows`;
    const fate =
      onDelete === "restrict"
        ? "forbids the deletion"
        : onDelete === "cascade"
          ? "would be deleted"
          : `would be changed (${onDelete})`;
    return `  ${rows} of ${table}: ${fate} (foreign key ${constraint})`;
  });
  return `${subject}:\n${lines.join("\n")}\n${advice}`;
}
