/** Lints a database that a stack manages, or any other one, without an update. */
import { inputFault, UserError } from "../core/errors.ts";
import type { Properties } from "../core/resourceType.ts";
import { openDatabase } from "../database/target.ts";
import { type LintReport, lintDatabase } from "../lint/lintCatalog.ts";
import { parseConfig } from "./provider/inputs.ts";

export interface DatabaseLints extends LintReport {
  /** `user@host:port/database`. */
  database: string;
}

/** Returns the names that are no schemas. */
const MISSING =
  "SELECT name FROM pg_catalog.unnest($1::pg_catalog.text[]) AS name WHERE pg_catalog.to_regnamespace(pg_catalog.quote_ident(name)) IS NULL";

/**
 * @param provider inputs of a provider, of which the URL counts.
 * @param schemas that are linted; where there are none, all that are the user's own.
 * @throws {UserError} when the database cannot be reached, or a schema is not there.
 */
export async function lintStack(provider: Properties, schemas: readonly string[]): Promise<DatabaseLints> {
  const { config, failures } = parseConfig(provider);
  if (failures.length > 0)
    throw new UserError("PS602", `The database cannot be linted: ${failures.map(inputFault).join("; ")}.`);
  const database = openDatabase(config);
  if (database === undefined) throw new UserError("PS602", "The URL of the database is not known.");
  try {
    const pool = await database.pool();
    const { rows } = await pool.query<{ name: string }>(MISSING, [schemas]);
    if (rows.length > 0)
      throw new UserError(
        "PS701",
        `${database.label} has no schema ${rows.map(({ name }) => name).join(", ")}. Run \`pulumi up\` first, or name other schemas with --schema.`,
      );
    return { database: database.label, ...(await lintDatabase(database, schemas)) };
  } finally {
    await database.close();
  }
}
