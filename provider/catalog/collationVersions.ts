/**
 * Collations whose rules the server's libraries have changed since the database noted their version. Indexes
 * built before are in the old order, and no catalog shows more than this number.
 */
import type { ClientBase, Pool } from "pg";

/** A collation, or the database's own, with what is ordered by it. */
export interface OutdatedCollation {
  /** As SQL names it, such as `collation public.german`. */
  object: string;
  noted: string;
  actual: string;
  /** What notes the new version, once the indexes are rebuilt. */
  refresh: string;
  /** Indexes that are in its order, by schema and name, quoted where they must be. */
  indexes: string[];
}

/** The default collation is that of the database, which notes its version. */
const OUTDATED = `
  with outdated as (
    select c.oid, pg_catalog.format('collation %I.%I', n.nspname, c.collname) as object, c.collversion as noted,
           pg_catalog.pg_collation_actual_version(c.oid) as actual
      from pg_catalog.pg_collation c join pg_catalog.pg_namespace n on n.oid = c.collnamespace
     where c.collversion is not null
    union all
    select c.oid, pg_catalog.format('database %I', d.datname), d.datcollversion, pg_catalog.pg_database_collation_actual_version(d.oid)
      from pg_catalog.pg_database d join pg_catalog.pg_collation c on c.collprovider = 'd'
     where d.datname = pg_catalog.current_database() and d.datcollversion is not null)
  select o.object, o.noted, o.actual,
         case when o.object like 'database %' then 'ALTER ' || o.object || ' REFRESH COLLATION VERSION'
              else 'ALTER ' || o.object || ' REFRESH VERSION' end as refresh,
         array(select pg_catalog.format('%I.%I', n.nspname, c.relname)
                 from pg_catalog.pg_index x join pg_catalog.pg_class c on c.oid = x.indexrelid and c.relkind = 'i' and c.relpersistence <> 't'
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where o.oid = any (x.indcollation::pg_catalog.oid[]) and n.nspname not in ('pg_catalog', 'pg_toast') order by 1) as indexes
    from outdated o where o.noted <> o.actual order by o.object`;

export async function outdatedCollations(client: ClientBase | Pool): Promise<OutdatedCollation[]> {
  const { rows } = await client.query<OutdatedCollation>(OUTDATED);
  return rows;
}

const MOST_NAMED = 10;

/** What a person is told of one, with what to do. */
export function describeOutdated({ object, noted, actual, refresh, indexes }: OutdatedCollation): string {
  const more = indexes.length > MOST_NAMED ? ` and ${indexes.length - MOST_NAMED} more` : "";
  const named = indexes.slice(0, MOST_NAMED).join(", ") + more;
  const rebuild = indexes.length === 0 ? "" : `REINDEX INDEX CONCURRENTLY each of ${named}; then `;
  return `${object} was recorded with version ${noted}, the server has ${actual}, so indexes ordered by it may be in the wrong order: ${rebuild}${refresh}`;
}
