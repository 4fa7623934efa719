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

/** The foreign key of a table that has a name; undefined where it has none. */
export async function foreignKeyOf(
  client: pg.ClientBase,
  table: TableName,
  constraint: string | undefined,
): Promise<ForeignKey | undefined> {
  const { rows } = await client.query<ForeignKey>(
    `${FOREIGN_KEYS} AND n.nspname = $1 AND c.relname = $2 AND k.conname = $3`,
    [table.schema, table.name, constraint],
  );
  return rows[0];
}

const ACTIONS: Record<string, Dependents["onDelete"]> = { c: "cascade", n: "set null", d: "set default" };

/**
 * All rows that a deletion would delete or change, or that forbid it. Follows cascades; each
 * foreign key is followed once, so a deep chain within one table is counted for its first step only, which is
 * enough to refuse.
 */
export async function findDependents(client: pg.ClientBase, going: Going): Promise<Dependents[]> {
  const found: Dependents[] = [];
  const followed = new Set<string>();
  const target = quoteQualified(going.table.schema, going.table.name);

  async function follow(relation: string, rowsSql: (parameters: Parameters) => string): Promise<void> {
    const { rows: keys } = await client.query<ForeignKey>(REFERRING, [relation]);
    for (const key of keys) {
      if (followed.has(key.oid)) continue;
      followed.add(key.oid);
      const table = quoteQualified(key.schema, key.table);
      if (relation === target && table === target && going.writes?.(key.columns)) continue;
      const dependents = (parameters: Parameters): string => {
        const refers = key.columns.map(
          (column, n) => `p.${quoteIdent(key.referenced[n] ?? "")} ${key.equalities[n]} d.${quoteIdent(column)}`,
        );
        const within = `SELECT d.* FROM ${table} AS d WHERE EXISTS (SELECT FROM (${rowsSql(parameters)}) AS p WHERE ${refers.join(" AND ")})`;
        // A row that refers to itself goes with itself.
        return table === target ? `${within} AND NOT (${going.condition("d", parameters)})` : within;
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

  await follow(target, (parameters) => `SELECT * FROM ${target} AS g WHERE ${going.condition("g", parameters)}`);
  return found;
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
