/**
 * What stands against moving registrations out of their table and back, told before anything is changed. The
 * moves are left to `archive.ts`.
 */
import type pg from "pg";
import { parseId } from "../../provider/catalog/pgDelta.ts";
import { UserError } from "../../provider/core/errors.ts";
import { unpackRecord } from "../../provider/resources/layer/outputs.ts";
import type { StateResource } from "../lib/stackState.ts";

type Queryable = Pick<pg.ClientBase, "query">;

/** Foreign keys of other tables; a partition has those of its parent. */
const REFERENCES = `
  SELECT pg_catalog.quote_ident(c.conname) AS name,
         pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.relname) AS "table"
    FROM pg_catalog.pg_constraint AS c
    JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
   WHERE c.contype = 'f' AND c.confrelid = pg_catalog.to_regclass('platform.databases')
     AND c.conrelid <> c.confrelid AND c.conparentid = 0
     AND n.nspname || '.' || t.relname <> ALL ($1::pg_catalog.text[])
   ORDER BY 2, 1`;

/** Tables that go with the registry's layer, as `schema.table`. */
export const tablesOf = ({ outputs }: Pick<StateResource, "outputs">): string[] =>
  Object.keys(unpackRecord(outputs.contribution).added).flatMap((id) => {
    const parsed = parseId(id);
    return parsed.kind === "table" ? [`${parsed.schema}.${parsed.name}`] : [];
  });

/**
 * A foreign key to the registry, whatever its action: it refuses the deletion of registrations, deletes or
 * changes the rows that refer to them, and refuses in any case that the table is dropped.
 *
 * @param own tables that go with the registry.
 * @throws {UserError} that names them.
 */
export async function refuseReferences(client: Queryable, own: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ name: string; table: string }>(REFERENCES, [own]);
  if (rows.length === 0) return;
  const mends = rows.map(({ name, table }) => `  ALTER TABLE ${table} DROP CONSTRAINT ${name};`);
  throw new UserError(
    "PS836",
    `The registry cannot be rolled back: ${rows.map(({ name, table }) => `foreign key ${name} of table ${table}`).join(", ")} refers to it. ` +
      "Nothing was changed. Take back the layer that the table belongs to (`pulumi destroy --target`), or drop the constraint and add it again after `rollback -- undo`:\n" +
      mends.join("\n"),
  );
}

/** Of archived registrations the names of those whose project is gone. */
export async function withoutProject(
  client: Queryable,
  registrations: readonly Readonly<Record<string, unknown>>[],
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT p.id::pg_catalog.text AS id FROM platform.projects AS p WHERE p.id::pg_catalog.text = ANY ($1::pg_catalog.text[])`,
    [registrations.map(({ project_id }) => String(project_id))],
  );
  const there = new Set(rows.map(({ id }) => id));
  return registrations.filter(({ project_id }) => !there.has(String(project_id))).map(({ name }) => String(name));
}
