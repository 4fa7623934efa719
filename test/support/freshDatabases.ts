import { afterAll } from "vitest";
import { createTestDatabase, type TestDatabase } from "./database.ts";

/** A maker of empty databases that are dropped at the end of the file. To be called at its top level. */
export function freshDatabases(): () => Promise<TestDatabase> {
  const open: TestDatabase[] = [];
  afterAll(async () => {
    await Promise.all(open.map((database) => database.drop()));
  });
  return async () => {
    const database = await createTestDatabase();
    open.push(database);
    return database;
  };
}

/**
 * Names of the tables, views and other relations of one schema, sorted; empty when the schema is not there.
 */
export async function relationsIn({ query }: TestDatabase, schema: string): Promise<string[]> {
  const rows = await query<{ name: string }>(
    "select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 order by 1",
    [schema],
  );
  return rows.map(({ name }) => name);
}

/** Files behind the relations of the schema `shop`: another one means that the relation was built anew. */
export async function filenodes({ query }: TestDatabase): Promise<Record<string, string>> {
  const rows = await query<{ name: string; file: string }>(
    "select relname as name, relfilenode::text as file from pg_class where relnamespace = 'shop'::regnamespace and relkind in ('r', 'i', 'S')",
  );
  return Object.fromEntries(rows.map(({ name, file }) => [name, file]));
}
