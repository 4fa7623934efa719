/** Which columns a table has, and how a value of each is cast and compared. */
import type pg from "pg";
import type { TableName } from "./identity.ts";

/** What is known of a column before its value is bound. */
export interface Column {
  /** Type name to cast to, without a length: a cast to one would cut a too long value silently. */
  type: string;
  kind: "json" | "array" | "boolean" | "number" | "plain";
  /** Types without an equality operator are compared by another form of theirs. */
  compareAs: "jsonb" | "text" | undefined;
  /** The equality of its type, or of the form, as SQL writes an operator with its schema. */
  equality: string;
  primaryKey: boolean;
  /** False where the server repeats a value that the type cannot take in its error, and so in its own log. */
  takesSecrets: boolean;
  /** Who gives the value: `expression` takes none from a statement, `identity` only one that overrides it. */
  generated: "expression" | "identity" | undefined;
}

/**
 * Returns one row per column of a table or view; none when it does not exist. `equality` is the operator of
 * the type's own operator class: of a type of an extension it lies in the extension's schema, which the path
 * of our sessions does not have.
 */
const COLUMNS = `
  SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, -1) AS type, t.typname AS base, t.typcategory AS category,
         e.typname AS element, t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace OR t.typtype <> 'b' OR t.typcategory = 'A' AS "isKnown",
         (SELECT pg_catalog.format('operator(%I.%s)', s.nspname, o.oprname)
            FROM pg_catalog.pg_opclass k JOIN pg_catalog.pg_am m ON m.oid = k.opcmethod
            JOIN pg_catalog.pg_amop p ON p.amopfamily = k.opcfamily AND p.amoplefttype = t.oid AND p.amoprighttype = t.oid
            JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace
           WHERE k.opcintype = t.oid AND k.opcdefault
             AND (m.amname = 'btree' AND p.amopstrategy = 3 OR m.amname = 'hash' AND p.amopstrategy = 1)
           ORDER BY m.amname LIMIT 1) AS equality,
         EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
           AS primary_key,
         CASE WHEN a.attgenerated <> '' THEN 'expression' WHEN a.attidentity = 'a' THEN 'identity' END AS generated
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
    isKnown: boolean;
    equality: string | null;
    primary_key: boolean;
    generated: "expression" | "identity" | null;
  }>(COLUMNS, [table.schema, table.name]);
  if (rows.length === 0) return undefined;
  return new Map(
    rows.map((row) => {
      // A type of others without an operator class may have an operator of that name that means anything.
      const compareAs =
        comparisonOf(row.element ?? row.base, row.category) ??
        (row.equality === null && !row.isKnown ? "text" : undefined);
      const column: Column = {
        type: row.type,
        kind: kindOf(row.base, row.category),
        compareAs,
        equality: (compareAs === undefined ? row.equality : null) ?? "operator(pg_catalog.=)",
        primaryKey: row.primary_key,
        takesSecrets: row.category === "S" || ["bytea", "json", "jsonb"].includes(row.base),
        generated: row.generated ?? undefined,
      };
      return [row.name, column];
    }),
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
