import type pg from "pg";
import type { TableName } from "./identity.ts";

/** What is known of a column before its value is bound. */
export interface Column {
  /** Type name to cast to, without a length: a cast to one would cut a too long value silently. */
  type: string;
  kind: "json" | "array" | "boolean" | "number" | "plain";
  /** Types without an equality operator are compared by another form of theirs. */
  compareAs: "jsonb" | "text" | undefined;
  primaryKey: boolean;
  /** False where the server repeats a value that the type cannot take in its error, and so in its own log. */
  takesSecrets: boolean;
}

/** Returns one row per column of a table or view; none when it does not exist. */
const COLUMNS = `
  SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, -1) AS type, t.typname AS base, t.typcategory AS category,
         e.typname AS element,
         EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
           AS primary_key
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type d ON d.oid = a.atttypid
  JOIN pg_catalog.pg_type t ON t.oid = CASE d.typtype WHEN 'd' THEN d.typbasetype ELSE d.oid END
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'f')
  ORDER BY a.attnum`;

/** The columns of a table by name; undefined when there is no such table. */
export async function readColumns(
  client: pg.ClientBase | pg.Pool,
  table: TableName,
): Promise<Map<string, Column> | undefined> {
  const { rows } = await client.query<{
    name: string;
    type: string;
    base: string;
    category: string;
    element: string | null;
    primary_key: boolean;
  }>(COLUMNS, [table.schema, table.name]);
  if (rows.length === 0) return undefined;
  return new Map(
    rows.map((row) => [
      row.name,
      {
        type: row.type,
        kind: kindOf(row.base, row.category),
        compareAs: comparisonOf(row.element ?? row.base, row.category),
        primaryKey: row.primary_key,
        takesSecrets: row.category === "S" || ["bytea", "json", "jsonb"].includes(row.base),
      },
    ]),
  );
}

function kindOf(base: string, category: string): Column["kind"] {
  if (base === "json" || base === "jsonb") return "json";
  if (category === "A") return "array";
  if (base === "bool") return "boolean";
  // Larger numbers do not fit the numbers of JSON, so they stay text.
  return ["int2", "int4", "float4", "float8"].includes(base) ? "number" : "plain";
}

function comparisonOf(base: string, category: string): Column["compareAs"] {
  if (base === "json") return category === "A" ? "text" : "jsonb";
  return base === "xml" || category === "G" ? "text" : undefined;
}
