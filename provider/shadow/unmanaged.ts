/**
 * What SQL files can create but no layer can hold, such as rows or large objects. Where in a file it stands
 * is found by `loadSql.ts`.
 */
import type { PoolClient } from "pg";
import type { ErrorCode } from "../core/errorCodes.ts";

const ROWS = "rows of ";
const SEQUENCE_VALUE = "the value of the sequence ";

/**
 * What SQL can say and no fact holds, so that no plan would make it: each with its name, as a person would
 * say it. Rows are those that the open transaction wrote.
 */
const UNMANAGED = `
  with schema as (
    select oid, nspname from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
  ), relation as (
    select c.*, pg_catalog.format('%I.%I', n.nspname, c.relname) as name from pg_catalog.pg_class c join schema n on n.oid = c.relnamespace
     where not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
  ), attribute as (
    select a.*, c.relkind, c.relispartition, c.name as relation, pg_catalog.format('%s.%I', c.name, a.attname) as name
      from pg_catalog.pg_attribute a join relation c on c.oid = a.attrelid where a.attnum > 0 and not a.attisdropped
  )
  select '${ROWS}' || c.name as what from pg_catalog.pg_stat_xact_user_tables s join relation c on c.oid = s.relid
   where c.relkind in ('r', 'p') and s.n_tup_ins + s.n_tup_upd + s.n_tup_del > 0
  union all select '${SEQUENCE_VALUE}' || c.name from pg_catalog.pg_sequences s
    join relation c on c.oid = pg_catalog.format('%I.%I', s.schemaname, s.sequencename)::pg_catalog.regclass where s.last_value is not null
  union all select 'large object ' || oid from pg_catalog.pg_largeobject_metadata
  union all select 'its own expression or identity of the inherited column ' || a.name
    from attribute a join pg_catalog.pg_inherits i on i.inhrelid = a.attrelid
    join pg_catalog.pg_attribute p on p.attrelid = i.inhparent and p.attname = a.attname
    left join pg_catalog.pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
    left join pg_catalog.pg_attrdef pd on pd.adrelid = p.attrelid and pd.adnum = p.attnum
   where not a.relispartition and a.attidentity <> '' or (a.attgenerated <> '' or p.attgenerated <> '')
     and pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) is distinct from pg_catalog.pg_get_expr(pd.adbin, pd.adrelid)
  union all select 'tablespace of ' || name from relation where reltablespace <> 0`;

/** What a session finds in its database that no plan would make. */
export async function unmanaged(client: PoolClient): Promise<Set<string>> {
  const { rows } = await client.query<{ what: string }>(UNMANAGED);
  return new Set(rows.map(({ what }) => what));
}

/** What the files added to it, in the order of the names. */
export function addedUnmanaged(before: ReadonlySet<string>, after: ReadonlySet<string>): string[] {
  return [...after].filter((what) => !before.has(what)).sort();
}

/** What is wrong with it, and what to do. */
export function unmanagedFault(added: readonly string[]): { code: ErrorCode; fault: string } {
  const shown = added.slice(0, 5).join(", ") + (added.length > 5 ? ` and ${added.length - 5} more` : "");
  const advice = added.every((what) => what.startsWith(ROWS) || what.startsWith(SEQUENCE_VALUE))
    ? "Rows are resources of their own: declare those that belong to the desired state as `Rows`, a few of them as a `Row` each; a sequence counts by itself. Of a dump take `pg_dump --schema-only`."
    : "Remove it from the layer; it may stay in the database as an undeclared object.";
  return {
    code: "PS107",
    fault: `found ${shown}, which no layer can hold: it would be missing in the database without an error. Expected the definitions of tables, indexes, constraints, views, functions, triggers, policies, types, sequences, grants and comments. ${advice}`,
  };
}
