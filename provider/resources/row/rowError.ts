/**
 * What is said when the server refuses a row, with the column and the constraint. Values of secrets never
 * show.
 */
import pg from "pg";
import { UserError } from "../../core/errors.ts";
import { UNKNOWN, type Value } from "../../core/resourceType.ts";
import { describeDatabaseError } from "../../database/databaseError.ts";
import type { Database } from "../../database/target.ts";
import type { RowInputs } from "./inputs.ts";

/** Returns one row: the columns and the definition of a constraint. */
const CONSTRAINT = `
  SELECT pg_catalog.pg_get_constraintdef(k.oid) AS definition,
         ARRAY (SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)) AS columns
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND k.conname = $3`;

/**
 * What to throw for a failed statement of a row: names the row and, for a violated check, the column, what
 * was found and what the constraint demands. A secret's value never shows. Anything that is not the
 * database's comes back as it is.
 */
export async function describeRowError(error: unknown, database: Database, inputs: RowInputs): Promise<unknown> {
  const described = describeDatabaseError(error);
  if (!described || error instanceof UserError) return error;
  const place = `${inputs.tableText} ${[...inputs.key].map(([column, value]) => `${column}=${String(value)}`).join(" ")}`;
  const more =
    error instanceof pg.DatabaseError
      ? await explainCheck(error, await database.pool(), (column) => foundValue(column, inputs))
      : undefined;
  return new UserError(described.code, `${place}: ${more ?? described.message}`, { cause: error });
}

/**
 * Of a violated check: the columns, what was found and what it demands. Undefined for any other error.
 *
 * @param found what a message may say of the value of a column.
 */
export async function explainCheck(
  error: pg.DatabaseError,
  client: pg.ClientBase | pg.Pool,
  found: (column: string) => string,
): Promise<string | undefined> {
  if (error.code !== "23514" || !error.schema || !error.table || !error.constraint) return undefined;
  const { rows } = await client
    .query<{ definition: string; columns: string[] }>(CONSTRAINT, [error.schema, error.table, error.constraint])
    .catch(() => ({ rows: [] })); // the plain message serves, too
  const constraint = rows[0];
  if (!constraint) return undefined;
  const columns = constraint.columns.map((column) => `"${column}" ${found(column)}`).join(", ");
  return (
    `check constraint "${error.constraint}" of table ${error.schema}.${error.table} rejects column ${columns}. ` +
    `It requires ${constraint.definition}. Give a value that it allows`
  );
}

function foundValue(column: string, inputs: RowInputs): string {
  if (inputs.secretValues.has(column) || inputs.initialSecretValues.has(column)) return "(secret)";
  for (const values of [inputs.key, inputs.values, inputs.initialValues]) {
    const value = values.get(column);
    if (value !== undefined) return `= ${shown(value)}`;
  }
  return "(not given)";
}

function shown(value: Value): string {
  return value === UNKNOWN ? "unknown" : JSON.stringify(value);
}
