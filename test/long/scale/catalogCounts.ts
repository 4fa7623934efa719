import type pg from "pg";
import { INDEXES_OF_A_TABLE, type Size } from "./generatedSchema.ts";

/** What stands in the generated schemas. */
export interface CatalogCounts {
  schemas: number;
  tables: number;
  securedTables: number;
  columns: number;
  indexes: number;
  policies: number;
}

/** One row of counts over all schemas named `scale_…`. */
const COUNTS = `
  with schemas as (select oid from pg_catalog.pg_namespace where nspname ^@ 'scale_'),
       relations as (select c.* from pg_catalog.pg_class c join schemas s on s.oid = c.relnamespace)
  select (select count(*)::int from schemas) as schemas,
         (select count(*)::int from relations where relkind = 'r') as tables,
         (select count(*)::int from relations where relrowsecurity) as "securedTables",
         (select count(*)::int from pg_catalog.pg_attribute a join relations r on r.oid = a.attrelid
           where r.relkind = 'r' and a.attnum > 0 and not a.attisdropped) as columns,
         (select count(*)::int from relations where relkind = 'i') as indexes,
         (select count(*)::int from pg_catalog.pg_policy p join relations r on r.oid = p.polrelid) as policies`;

export async function catalogCounts(client: Pick<pg.Client, "query">): Promise<CatalogCounts> {
  const { rows } = await client.query<CatalogCounts>(COUNTS);
  const [counts] = rows;
  if (counts === undefined) throw new Error("the server answered a one-row query with no row");
  return { ...counts };
}

/** What the generated files declare. */
export function expectedCounts({ tables, layers }: Size, { changed = false } = {}): CatalogCounts {
  return {
    schemas: layers,
    tables,
    securedTables: tables,
    columns: 6 * tables + (changed ? 1 : 0),
    // And that of the key.
    indexes: (INDEXES_OF_A_TABLE + 1) * tables,
    policies: tables,
  };
}
