/** The types of a database as one text, from its catalog. */
import { UserError } from "../../provider/core/errors.ts";
import { openDatabase } from "../../provider/database/target.ts";
import { printTypes } from "./printTypes.ts";
import { readModel } from "./readModel.ts";

/**
 * TypeScript with the rows, inserts and updates of all tables and views in the schemas, and their functions.
 *
 * @param url connection URL; secret.
 * @throws {UserError} when the server cannot be reached, or a schema is not there.
 */
export async function typesOf(url: string, schemas: readonly string[]): Promise<string> {
  const database = openDatabase({ url });
  if (database === undefined) throw new Error("no URL");
  try {
    const pool = await database.pool();
    const { rows } = await pool.query<{ name: string }>(
      "select name from pg_catalog.unnest($1::pg_catalog.text[]) as name where pg_catalog.to_regnamespace(pg_catalog.quote_ident(name)) is null",
      [schemas],
    );
    if (rows.length > 0)
      throw new UserError(
        "PS701",
        `${database.label} has no schema ${rows.map(({ name }) => name).join(", ")}. Run \`pulumi up\` first, or name other schemas with --schema.`,
      );
    return printTypes(await readModel(pool, schemas));
  } finally {
    await database.close();
  }
}
