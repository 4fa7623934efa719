/**
 * Which rows the database would delete or change along with a row. Whether that is refused is decided in
 * `delete.ts`.
 */
import type pg from "pg";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import type { BoundRow } from "./boundRow.ts";
import { keyCondition, Parameters } from "./sql.ts";

/**
 * Rows of one table that refer to the row by one foreign key, directly or through rows that would be deleted
 * with it.
 */
export interface Dependents {
  table: string;
  constraint: string;
  count: number;
  /** What the database would do with them. */
  onDelete: "cascade" | "set null" | "set default" | "restrict";
}

interface ForeignKey {
  oid: string;
  schema: string;
  table: string;
  constraint: string;
  action: string;
  columns: string[];
  referenced: string[];
  /** By column: the operator that the server itself compares with, referenced on the left. */
  equalities: string[];
}

/** Returns the foreign keys that refer to a table. */
const REFERRING = `
  SELECT k.oid::pg_catalog.text AS oid, n.nspname AS schema, c.relname AS "table", k.conname AS constraint, k.confdeltype::pg_catalog.text AS action,
         ARRAY (SELECT a.attname::pg_catalog.text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u (num, place)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place) AS columns,
         ARRAY (SELECT a.attname::pg_catalog.text FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u (num, place)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place) AS referenced,
         ARRAY (SELECT pg_catalog.format('operator(%I.%s)', s.nspname, o.oprname) FROM pg_catalog.unnest(k.conpfeqop) WITH ORDINALITY AS u (oid, place)
                JOIN pg_catalog.pg_operator o ON o.oid = u.oid JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace ORDER BY u.place) AS equalities
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = $1::pg_catalog.regclass
  ORDER BY n.nspname, c.relname, k.conname`;

const ACTIONS: Record<string, Dependents["onDelete"]> = { c: "cascade", n: "set null", d: "set default" };

/**
 * All rows that a deletion of the row would delete or change, or that forbid it. Follows cascades; each
 * foreign key is followed once, so a deep chain within one table is counted for its first step only, which is
 * enough to refuse.
 */
export async function findDependents(
  client: pg.ClientBase,
  row: Pick<BoundRow, "table" | "key">,
): Promise<Dependents[]> {
  const found: Dependents[] = [];
  const followed = new Set<string>();
  const target = quoteQualified(row.table.schema, row.table.name);

  async function follow(relation: string, rowsSql: (parameters: Parameters) => string): Promise<void> {
    const { rows: keys } = await client.query<ForeignKey>(REFERRING, [relation]);
    for (const key of keys) {
      if (followed.has(key.oid)) continue;
      followed.add(key.oid);
      const table = quoteQualified(key.schema, key.table);
      const dependents = (parameters: Parameters): string => {
        const refers = key.columns.map(
          (column, n) => `p.${quoteIdent(key.referenced[n] ?? "")} ${key.equalities[n]} d.${quoteIdent(column)}`,
        );
        const within = `SELECT d.* FROM ${table} AS d WHERE EXISTS (SELECT FROM (${rowsSql(parameters)}) AS p WHERE ${refers.join(" AND ")})`;
        // A row that refers to itself goes with itself.
        return table === target ? `${within} AND NOT (${keyCondition(row.key, parameters, "d")})` : within;
      };
      const parameters = new Parameters();
      const { rows } = await client.query<{ count: number }>(
        `SELECT pg_catalog.count(*)::int AS count FROM (${dependents(parameters)}) AS all_dependents`,
        parameters.values,
      );
      const count = rows[0]?.count ?? 0;
      if (count === 0) continue;
      const onDelete = ACTIONS[key.action] ?? "restrict";
      found.push({ table: `${key.schema}.${key.table}`, constraint: key.constraint, count, onDelete });
      if (onDelete === "cascade") await follow(table, dependents);
    }
  }

  await follow(target, (parameters) => `SELECT * FROM ${target} WHERE ${keyCondition(row.key, parameters)}`);
  return found;
}
